// A modal dialog: the browser traps the focus in it, closes it with Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

export function Dialog({ title, onClose, children, class: name = "" }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const label = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element && !element.open) element.showModal();
    return () => {
      element?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault(); // the state says whether it is open
    onClose();
  };
  return (
    <dialog ref={dialog} class={`dialog ${name}`} aria-labelledby={label} onCancel={cancel}>
      <header class="dialog-head">
        <h2 id={label}>{title}</h2>
        <button type="button" class="button small" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** What went wrong, told to screen readers as soon as it appears. */
export function Problem({ text, id }: { text: string | null; id?: string }) {
  return (
    <div role="alert" id={id}>
      {text ? <p class="notice bad">{text}</p> : null}
    </div>
  );
}
