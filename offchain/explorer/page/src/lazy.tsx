/** Parts of the page that are fetched when they are first shown. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component that comes with its own file; nothing is shown until it is here. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let found: Promise<ComponentType<P>> | null = null;
  // biome-ignore lint/correctness/noComponentHookFactories: made once, when the module is read
  return function Lazy(props: P) {
    const [part, setPart] = useState<{ View: ComponentType<P> } | null>(null);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      found ??= load();
      found.then(
        View => setPart({ View }),
        () => {
          found = null;
          setFailed(true);
        },
      );
    }, []);
    if (failed) {
      return (
        <p class="notice bad" role="alert">
          A part of this page could not be loaded. Reload the page.
        </p>
      );
    }
    return part ? <part.View {...props} /> : null;
  };
}
