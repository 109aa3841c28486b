"""What a robot's loads tell of work whose end it never reported, as after a restart.

Ordered again, such a pick would be made twice, and such a drop could not be made at all.
"""

from collections.abc import Collection

from fleet.mission import Action, ActionKind, Mission
from fleet.vda5050.state_messages import State


def settled(mission: Mission, state: State, carried: Collection[str]) -> frozenset[str]:
    """Ids of the actions that have been done, though the robot does not list them any more.

    A pick, if its load is on board; a drop, if its load is not, and the robot stands where it
    was to be dropped. A robot that says nothing of loads has settled nothing.

    Args:
        carried: ids of loads that it has had on board.
    """
    if state.loads is None:
        return frozenset()
    listed = {action.action_id for action in state.action_states}
    aboard = {load.load_id for load in state.loads}
    at_goal = state.last_node_id == mission.route[-1].node and not state.driving

    def is_settled(action: Action) -> bool:
        load = action.facts.get("load_id")
        if action.id in listed or not isinstance(load, str):
            return False
        if action.kind is ActionKind.LOAD:
            return load in aboard
        gone = load in carried and load not in aboard
        return action.kind is ActionKind.UNLOAD and gone and at_goal

    return frozenset(action.id for action in mission.actions if is_settled(action))
