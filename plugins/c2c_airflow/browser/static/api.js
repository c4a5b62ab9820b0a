/** The JSON of the dataset browser, which lies beside this page. */

const BASE = new URL("../api/", import.meta.url);
const LIMIT_MILLISECONDS = 90_000;
const LIMIT_BUSY = 60;  // times that a busy server is asked again

/** What the server would not or could not answer. `status` is 0 where it does not answer. */
export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** The address of a path below `api/`; what is null or empty is left out of the query. */
export function address(path, query = {}) {
  const url = new URL(path.map(encodeURIComponent).join("/"), BASE);
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") url.searchParams.set(key, value);
  }
  return url.href;
}

/**
 * Get what a path answers. Where the server says when to ask again (it is busy, or computes what
 * was asked for), it is asked again; `onBusy` is given its sentence meanwhile.
 * @throws {ApiError}, or an AbortError where `signal` ended it
 */
export async function get(path, query, signal, onBusy = () => {}) {
  const url = address(path, query);
  for (let tries = 1; ; tries += 1) {
    const answer = await ask(url, signal);
    const content = parsed(answer.body);
    if (answer.ok && content !== undefined) return content;
    const detail = typeof content?.detail === "string" ? content.detail : `The answer was ${answer.status}.`;
    const seconds = Number(answer.retryAfter);
    if (answer.status !== 503 || !seconds || tries > LIMIT_BUSY) {
      throw new ApiError(answer.ok ? 502 : answer.status, detail);
    }
    onBusy(detail);
    await pause(seconds * 1000, signal);
  }
}

/** Wait. @throws the signal's reason, where it ended meanwhile */
export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, milliseconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function ask(url, signal) {
  const limit = AbortSignal.timeout(LIMIT_MILLISECONDS);
  try {
    const answer = await fetch(url, {
      headers: { Accept: "application/json" },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return { ok: answer.ok, status: answer.status, retryAfter: answer.headers.get("Retry-After"), body: await answer.text() };
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, limit.aborted ? "It took longer than 90 seconds." : "The connection failed.");
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
