// A master that somebody else wrote drives a robot along n1 .. n4: an order, its update, actions,
// a pause and a cancel. node master.js BROKER_URL MANUFACTURER SERIAL; says what happens, in JSON.
"use strict";

const { MasterController, Topic } = require("vda-5050-lib");

const [url, manufacturer, serialNumber] = process.argv.slice(2);
const robot = { manufacturer, serialNumber };
const master = new MasterController(
  { interfaceName: "uagv", transport: { brokerUrl: url }, vdaVersion: "2.0.0" },
  {},
);

const say = (event, facts) => console.log(JSON.stringify({ event, ...facts }));

function node(number, released, actions = []) {
  const nodePosition = { x: 10 * (number - 1), y: 0, mapId: "L1" };
  return { nodeId: `n${number}`, sequenceId: 2 * (number - 1), released, nodePosition, actions };
}

function edge(number, released) {
  const [startNodeId, endNodeId] = [`n${number}`, `n${number + 1}`];
  const sequenceId = 2 * number - 1;
  return { edgeId: `${startNodeId}-${endNodeId}`, sequenceId, released, startNodeId, endNodeId, actions: [] };
}

function action(actionType, actionId, parameters = {}) {
  const actionParameters = Object.entries(parameters).map(([key, value]) => ({ key, value }));
  return { actionType, actionId, blockingType: "HARD", actionParameters };
}

// Resolves when the robot has done what the order's base says.
function drive(order) {
  return new Promise((resolve) =>
    master.assignOrder(robot, order, {
      onOrderProcessed: (error, cancelled, active) => {
        const facts = { order: order.orderId, update: order.orderUpdateId, cancelled, active };
        say("processed", { ...facts, error: error && error.errorType });
        resolve();
      },
      onNodeTraversed: (reached) => say("node", { node: reached.nodeId }),
      onActionStateChanged: (state) => say("action", { action: state.actionId, status: state.actionStatus }),
    }),
  );
}

// Resolves when an instant action has ended.
function atOnce(actionType, actionId) {
  return new Promise((resolve) => {
    const ended = (event, facts) => {
      say(event, { action: actionId, ...facts });
      resolve();
    };
    master.initiateInstantActions(
      robot,
      { instantActions: [action(actionType, actionId)] },
      {
        onActionStateChanged: ({ actionStatus }) => {
          if (actionStatus === "FINISHED" || actionStatus === "FAILED") {
            ended("action", { status: actionStatus });
          }
        },
        onActionError: (error) => ended("refused", { error: error.errorType }),
      },
    );
  });
}

const once = (topic, found) =>
  new Promise((resolve) => master.subscribe(topic, robot, (message) => found(message) && resolve(message)));

async function main() {
  await master.start();
  await once(Topic.Connection, (message) => message.connectionState === "ONLINE");
  say("online");

  await drive({
    orderId: "A",
    orderUpdateId: 0,
    nodes: [node(1, true), node(2, true), node(3, false)],
    edges: [edge(1, true), edge(2, false)],
  });
  const pick = action("pick", "A-pick", { loadId: "box", duration: 0.2 });
  await drive({
    orderId: "A",
    orderUpdateId: 1,
    nodes: [node(2, true), node(3, true, [pick])],
    edges: [edge(2, true)],
  });

  const factsheet = once(Topic.Factsheet, () => true);
  await atOnce("factsheetRequest", "ask-factsheet");
  say("factsheet", { series: (await factsheet).typeSpecification.seriesName });

  const drop = action("drop", "B-drop", { loadId: "box", duration: 2 });
  const last = drive({
    orderId: "B",
    orderUpdateId: 0,
    nodes: [{ ...node(3, true), sequenceId: 0 }, { ...node(4, true, [drop]), sequenceId: 2 }],
    edges: [{ ...edge(3, true), sequenceId: 1 }],
  });
  const paused = once(Topic.State, (state) => state.paused);
  await atOnce("startPause", "pause");
  await paused;
  say("paused");
  await atOnce("stopPause", "go-on");
  await atOnce("cancelOrder", "cancel");
  await last;
  await atOnce("cancelOrder", "cancel-again");
  await master.stop();
  say("end");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
