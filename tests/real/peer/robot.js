// A robot that somebody else wrote: node robot.js BROKER_URL MANUFACTURER SERIAL MAP NODE [OPTIONS]
// OPTIONS is JSON: x and y of NODE, and options of the virtual robot, such as vehicleSpeed.
"use strict";

const { AgvController, VirtualAgvAdapter } = require("vda-5050-lib");

const [url, manufacturer, serialNumber, mapId, lastNodeId, options] = process.argv.slice(2);
const { x = 0, y = 0, ...virtual } = JSON.parse(options || "{}");

const robot = new AgvController(
  { manufacturer, serialNumber },
  {
    interfaceName: "uagv",
    transport: { brokerUrl: url, reconnectPeriod: 500 },
    vdaVersion: "2.0.0",
  },
  { agvAdapterType: VirtualAgvAdapter, publishStateInterval: 1000 },
  { initialPosition: { mapId, x, y, theta: 0, lastNodeId }, vehicleSpeed: 8, ...virtual },
);

robot.start().then(
  () => console.log("ready"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
