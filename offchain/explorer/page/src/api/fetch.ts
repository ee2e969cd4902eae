/** Asking the server; its refusals are one line that says what to do. */

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

async function answer<T>(response: Response): Promise<T> {
  if (response.ok) return (await response.json()) as T;
  throw new ApiError(response.status, await refusal(response));
}

async function refusal(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (typeof body === "object" && body !== null && "error" in body && typeof body.error === "string") {
      return body.error.slice(0, 500);
    }
  } catch {
    // not JSON: the status has to do
  }
  return `the server answered ${response.status}`;
}

/** Raises ApiError; status 0 when there is no server. */
async function ask(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "the explorer's server does not answer: is `assay explorer` running?");
  }
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return answer<T>(await ask(path, signal ? { signal } : {}));
}

/** JSON, or a form with files. */
export async function post<T>(path: string, body: unknown | FormData, signal?: AbortSignal): Promise<T> {
  const init: RequestInit =
    body instanceof FormData
      ? { method: "POST", body }
      : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return answer<T>(await ask(path, signal ? { ...init, signal } : init));
}
