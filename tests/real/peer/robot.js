// A robot that somebody else wrote: node robot.js BROKER_URL MANUFACTURER SERIAL MAP NODE
"use strict";

const { AgvController, VirtualAgvAdapter } = require("vda-5050-lib");

const [url, manufacturer, serialNumber, mapId, lastNodeId] = process.argv.slice(2);

const robot = new AgvController(
  { manufacturer, serialNumber },
  { interfaceName: "uagv", transport: { brokerUrl: url }, vdaVersion: "2.0.0" },
  { agvAdapterType: VirtualAgvAdapter, publishStateInterval: 1000 },
  { initialPosition: { mapId, x: 0, y: 0, theta: 0, lastNodeId }, vehicleSpeed: 8 },
);

robot.start().then(
  () => console.log("ready"),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
