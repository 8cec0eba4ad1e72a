// A device id of this page's own. An id belongs to one running application: two tabs are two, and need two ids.

/**
 * An id that no other page of this origin uses as long as this one lives, and that is the same after a reload: the first of
 * the browser's ids that is free, else a new one. Without locks (a page that came over http) it is a new one each time.
 * @param {string} [name] of the application, where several share an origin
 * @returns {Promise<string>}
 */
export async function claimDeviceId(name = "seatd-device") {
  if (typeof navigator === "undefined" || !navigator.locks) return newId();
  for (const id of known(name)) if (await claimed(name, id)) return id;
  const id = newId();
  await claimed(name, id);
  remember(name, id);
  return id;
}

/**
 * Holds the id's lock until the page ends; false when another page does, or where a page may have no locks.
 * @param {string} name
 * @param {string} id
 * @returns {Promise<boolean>}
 */
function claimed(name, id) {
  return new Promise((resolve) => {
    const held = navigator.locks.request(`${name}:${id}`, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
    held.catch(() => resolve(false));
  });
}

/** @param {string} name @returns {string[]} */
function known(name) {
  try {
    const ids = JSON.parse(localStorage.getItem(name) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string" && /^[0-9a-f]{32}$/.test(id)) : [];
  } catch {
    return [];
  }
}

/** Where a page may keep nothing, its id is a new one each time. @param {string} name @param {string} id */
function remember(name, id) {
  try {
    localStorage.setItem(name, JSON.stringify([...known(name), id]));
  } catch {
    // no storage, or no room in it
  }
}

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
