// A dialog that is part of the address: a link leads to it, and the back button closes it.

/**
 * `show(key)` opens the dialog of this key instead of another that is open, none for ""; `close()` takes it away with the page.
 * `make(key)` opens it and answers `{close(), closed}`, or null when there is none. `onClosed()`: somebody has closed it.
 */
export function addressedDialog(make, onClosed) {
  let open = null;
  const close = () => {
    const former = open;
    open = null;
    former?.dialog.close();
  };
  const show = (key) => {
    if ((open?.key ?? "") === (key || "")) return;
    close();
    const dialog = key ? make(key) : null;
    if (!dialog) return;
    const mine = { key, dialog };
    open = mine;
    dialog.closed.then(() => {
      if (open !== mine) return;
      open = null;
      onClosed();
    });
  };
  return { show, close };
}
