/**
 * The shapes of the API, for editors and type checkers; nothing runs here.
 *
 * @typedef {{en: string, zh: string}} Name
 * @typedef {{code: string, facts: Object<string, string|number|boolean>}} Reason
 *
 * @typedef {Object} Task
 * @property {string} id
 * @property {"delivery"|"medicine"|"patrol"|"disinfection"} kind
 * @property {"queued"|"assigned"|"underway"|"cancelling"|"done"|"failed"|"cancelled"} state
 * @property {"stat"|"urgent"|"routine"|"background"} priority
 * @property {string} item
 * @property {string|null} from
 * @property {string[]} to
 * @property {any} spec
 * @property {string} created_at
 * @property {string|null} earliest_at
 * @property {string|null} due_at
 * @property {string|null} eta_at
 * @property {string|null} ended_at
 * @property {boolean} late
 * @property {string|null} vehicle
 * @property {number} stops_done
 * @property {number} stops_total
 * @property {Reason|null} reason
 * @property {string} requester
 * @property {string} note
 * @property {{number: number, other: string, via: string}|null} [leg] of a delivery in two legs
 * @property {Array<{at: string, event: string, vehicle: string|null, facts: any}>} [timeline]
 *
 * @typedef {Object} Vehicle
 * @property {string} id
 * @property {string} name
 * @property {"ground"|"air"} medium
 * @property {string} kind
 * @property {string} make
 * @property {string} home
 * @property {string} activity
 * @property {Reason|null} waiting_for
 * @property {boolean} online
 * @property {number|null} age_s
 * @property {string|null} level
 * @property {number} x_m
 * @property {number} y_m
 * @property {number} yaw_rad
 * @property {number} height_agl_m
 * @property {number|null} charge_ratio
 * @property {string[]} tasks
 * @property {string|null} goal
 * @property {Array<[string, number, number]>} route
 * @property {string} zone
 * @property {Array<{code: string, severity: string, text: string}>} errors
 * @property {Array<{rule: string, words: string, count: number, detail: string}>} [breaches]
 * @property {string[]} loads
 * @property {string[]} skills
 * @property {boolean} in_service
 * @property {Array<[string, number, number]>} trail kept here, not sent
 * @property {[number, number, number]|null} before where it was one tick ago, kept here
 * @property {number} wall_ms when its position came in, kept here
 *
 * @typedef {Object} Alert
 * @property {string} id
 * @property {string} code
 * @property {"critical"|"high"|"notice"|"info"} severity
 * @property {any} facts
 * @property {string|null} vehicle
 * @property {string|null} task
 * @property {string} since
 * @property {number} count
 * @property {string|null} acknowledged_by
 * @property {string|null} cleared_at
 *
 * @typedef {{id: string, name: Name, elevation_m: number, outdoors: boolean}} Level
 * @typedef {{id: string, name: Name, level: string, kind: string, zone: string,
 *   outline: Array<[number, number]>}} Area
 * @typedef {{id: string, level: string, a: [number, number], b: [number, number],
 *   two_way: boolean, width_m: number, passing: boolean, lift: string|null}} Lane
 * @typedef {{id: string, name: Name, level: string, x_m: number, y_m: number, kind: string,
 *   roles: string[]}} Place
 * @typedef {{id: string, name: Name, cabins: Object<string, [number, number]>}} Lift
 * @typedef {{id: string, name: Name, kind: string, outline: Array<[number, number]>,
 *   holes: Array<Array<[number, number]>>}} Airspace
 * @typedef {{id: string, name: Name, anchor: any, levels: Level[], areas: Area[], lanes: Lane[],
 *   places: Place[], lifts: Lift[], doors: any[], workcells: any[], air_locks: any[], airspaces: Airspace[]}} Site
 *
 * @typedef {{name: string, begin_ms: number, end_ms: number, cut: boolean, playing: boolean,
 *   speed: number, jumps: number}} Replay a run that is over, and how it is played
 *
 * @typedef {{field: string, code: string, facts: any, remedy: string}} FieldFault
 */

export {};

/**
 * One post of a watch: who is there, who comes, when the last of them leaves.
 *
 * @typedef {Object} Post
 * @property {Array<[number, number]>|null} outline
 * @property {string[]} points
 * @property {string[]} on_station
 * @property {string[]} coming
 * @property {string|null} leaves_at
 * @property {number|null} idle_s
 */

/**
 * @typedef {Object} Watch
 * @property {string} task
 * @property {number} gap_s
 * @property {Post[]} posts
 */
