/** The REST side: commands go out here, the truth comes back by the live link. */

const BASE = "/api/v1";
const PATIENCE_MS = 10000;

/** No answer: the link is down or the server does not run. The caller may try again. */
export class LinkDown extends Error {}

/** An answer that says no; `fields` names what is wrong in which field. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {{code: string, message: string, fields?: import("./types.js").FieldFault[]}} error
   */
  constructor(status, error) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.fields = error.fields ?? [];
  }
}

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {any} [body]
 * @param {string} [key] of the request, for repeats without harm
 * @returns {Promise<any>}
 * @throws {LinkDown|Refused}
 */
export async function call(method, path, body, key) {
  /** @type {Object<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const response = await answer(BASE + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const data = await response.json().catch(() => null);
  if (response.ok) return data;
  if (response.status >= 500 || !data?.error) throw new LinkDown(`status ${response.status}`);
  throw new Refused(response.status, data.error);
}

/**
 * @param {string} url
 * @param {RequestInit} request
 */
async function answer(url, request) {
  try {
    return await fetch(url, request);
  } catch (error) {
    throw new LinkDown(String(error));
  }
}

/** @param {any} body */
export const previewPatrol = (body) => call("POST", "/patrols/preview", body);
export const getWatches = () => call("GET", "/watches");
export const getReplay = () => call("GET", "/replay");
/** @param {{playing?: boolean, speed?: number, at?: string}} wanted */
export const steer = (wanted) => call("POST", "/replay", wanted);
export const getSite = () => call("GET", "/site");
export const getSchemas = () => call("GET", "/schemas");
/** @param {string} id */
export const getTask = (id) => call("GET", `/tasks/${encodeURIComponent(id)}`);
/** @param {Object<string, string>} query */
export const getTasks = (query) => call("GET", `/tasks?${new URLSearchParams(query)}`);
/** @param {any} body @param {string} key */
export const postTask = (body, key) => call("POST", "/tasks", body, key);
/** @param {string} id */
export const cancelTask = (id) => call("POST", `/tasks/${encodeURIComponent(id)}/cancel`, {});
/** @param {string} id @param {string} priority */
export const prioritise = (id, priority) =>
  call("POST", `/tasks/${encodeURIComponent(id)}/priority`, { priority });
/** @param {string} id @param {boolean} in_service */
export const setInService = (id, in_service) =>
  call("POST", `/vehicles/${encodeURIComponent(id)}/service`, { in_service });
/** @param {string} id @param {string} by */
export const acknowledge = (id, by) =>
  call("POST", `/alerts/${encodeURIComponent(id)}/acknowledge`, { by });
/** @param {any} body */
export const raiseEmergency = (body) => call("POST", "/emergencies", body);
/** @param {string} id @param {string} by */
export const endEmergency = (id, by) =>
  call("POST", `/emergencies/${encodeURIComponent(id)}/end`, by ? { by } : {});
/** @param {any} body */
export const reportIncident = (body) => call("POST", "/incidents", body);
/** @param {string} id @param {any} body */
export const closeIncident = (id, body) => call("POST", `/incidents/${encodeURIComponent(id)}/close`, body);
/** @param {string} id @param {string} by */
export const takeControl = (id, by) => call("POST", `/vehicles/${encodeURIComponent(id)}/control/take`, { by });
/** @param {string} id @param {string} by @param {string} to */
export const handOver = (id, by, to) =>
  call("POST", `/vehicles/${encodeURIComponent(id)}/control/hand-over`, { by, to });
/** @param {string} id @param {string} by */
export const releaseControl = (id, by) => call("POST", `/vehicles/${encodeURIComponent(id)}/control/release`, { by });
/** @param {string} order @param {string[]} vehicles @param {string} by */
export const orderVehicles = (order, vehicles, by) => call("POST", "/control/order", { order, vehicles, by });
/** @param {string} by */
export const recallAll = (by) => call("POST", "/control/recall-all", { by });
/** @param {string[]} vehicles @param {string} by */
export const emergencyStop = (vehicles, by) => call("POST", "/control/emergency-stop", { vehicles, by });
/** @param {string[]} vehicles @param {string} by */
export const endEmergencyStop = (vehicles, by) => call("POST", "/control/emergency-stop/end", { vehicles, by });
