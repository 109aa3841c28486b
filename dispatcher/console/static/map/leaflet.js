/** Leaflet's minified build as a module: it sets its name on `window` when it is loaded. */

import "/vendor/leaflet/leaflet.js";

export const L = /** @type {any} */ (window).L;
