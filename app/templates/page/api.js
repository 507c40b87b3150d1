/** The service's REST with the key that a person has typed; it lives in the tab's session storage and nowhere else. */

const STORE = 'avito-quality-key';

/** What the service, or the way to it, has refused; `message` is fit to be shown. */
export class ApiError extends Error {
  constructor(status, message, fields = []) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

export const hasKey = () => sessionStorage.getItem(STORE) !== null;
export const keepKey = (key) => sessionStorage.setItem(STORE, key);
export const dropKey = () => sessionStorage.removeItem(STORE);

/**
 * Asks the service.
 * @param {string} path under /api/v1, its parts encoded
 * @param {{params?: URLSearchParams, signal?: AbortSignal, method?: string, body?: object}} [request]
 * @returns {Promise<Response>} only where it is a success
 * @throws {ApiError}
 */
export async function ask(path, { params, signal, method = 'GET', body } = {}) {
  // A header takes no Cyrillic: what cannot be sent is sent as no key at all.
  const key = (sessionStorage.getItem(STORE) ?? '').replace(/[^\x20-\x7e]/g, '');
  const headers = { 'X-API-Key': key, ...(body && { 'Content-Type': 'application/json' }) };
  const query = String(params ?? '');
  let answer;
  try {
    answer = await fetch(`api/v1${path}${query && `?${query}`}`, { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, 'Нет связи со службой: проверьте сеть и повторите.');
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const error = new ApiError(answer.status, told.message ?? `Служба не ответила (HTTP ${answer.status}): повторите позже.`, told.errors);
  if (error.status === 401) dispatchEvent(new CustomEvent('refused'));
  throw error;
}

/** The JSON of an answer. */
export const read = async (path, request) => (await ask(path, request)).json();

/** Hands a file of the service's to the browser: a link cannot carry the key. */
export async function download(path, params, fallback) {
  const answer = await ask(path, { params });
  const named = /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = named?.[1] ?? fallback;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
