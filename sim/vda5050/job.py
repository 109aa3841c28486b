"""The order that a simulated robot holds: what is ahead of it, and how far its actions are."""

from collections import deque
from functools import lru_cache
from typing import Final

from fleet.vda5050.order_messages import Action, Edge, Node, Order
from fleet.vda5050.state_messages import ActionState, EdgeState, NodeState
from fleet.vda5050.terms import ENDED, ActionStatus
from routing.site import NodeId

INSTANT_KEPT = 10
_STATES_KEPT: Final = 4_000
"""An update tells of most nodes and edges once more."""


class Job:
    """An order in hand, or the last one.

    Args:
        node: where the robot stands.
        instant_kept: how many instant actions that have ended it goes on listing.
    """

    def __init__(self, node: NodeId, instant_kept: int = INSTANT_KEPT) -> None:
        self._instant_kept = instant_kept
        self.order_id = ""
        self.update_id = 0
        self.last_node_id: str = node
        self.last_sequence_id = 0
        self.base_end: Node | None = None
        """The last released node; None without an order, or after its cancellation."""
        self.nodes: deque[Node] = deque()
        self.edges: deque[Edge] = deque()
        self.todo: deque[Action] = deque()
        """Actions of the node it stands at."""
        self.stumbled: Action | None = None
        """An action that has become RETRIABLE; it is the next to do, once that is said."""
        self._said: tuple[tuple[Node, ...], tuple[Edge, ...]] = (), ()
        self.actions: dict[str, ActionState] = {}
        self.instant: dict[str, ActionState] = {}
        self._node_states: deque[NodeState] = deque()
        self._edge_states: deque[EdgeState] = deque()

    @property
    def active(self) -> bool:
        """Whether anything is left to drive or to do."""
        return bool(self.nodes) or any(
            action.action_status not in ENDED for action in self.actions.values()
        )

    @property
    def next_edge(self) -> Edge | None:
        """The next edge, if it may be driven."""
        return self.edges[0] if self.edges and self.edges[0].released else None

    @property
    def rolls_on(self) -> bool:
        """Whether it need not stop at the end of the next edge."""
        return len(self.edges) > 1 and self.edges[1].released and not self.nodes[0].actions

    @property
    def wants_base(self) -> bool:
        """Whether it is on the last edge of its base, with a horizon ahead."""
        return len(self.edges) > 1 and self.edges[0].released and not self.edges[1].released

    def node_states(self) -> tuple[NodeState, ...]:
        """The nodes ahead."""
        return tuple(self._node_states)

    def edge_states(self) -> tuple[EdgeState, ...]:
        """The edges ahead."""
        return tuple(self._edge_states)

    def action_states(self) -> tuple[ActionState, ...]:
        """All actions of the order."""
        return tuple(self.actions.values())

    def instant_action_states(self) -> tuple[ActionState, ...]:
        """The latest instant actions."""
        return tuple(self.instant.values())

    def repeats(self, order: Order) -> bool:
        """Whether a message says just what the last one said."""
        return (order.nodes, order.edges) == self._said

    def take(self, order: Order) -> None:
        """Begin a new order at its first node."""
        self.order_id, self.update_id = order.order_id, order.order_update_id
        self.actions.clear()
        self.todo.clear()
        self.stumbled = None
        self._said = order.nodes, order.edges
        self._append(order, since=0)
        self._reach(order.nodes[0])
        self.nodes.popleft()
        self._node_states.popleft()

    def extend(self, order: Order) -> None:
        """Replace the horizon by what an update says; its first node is known already."""
        self.update_id = order.order_update_id
        self._said = order.nodes, order.edges
        while self.edges and not self.edges[-1].released:
            self.edges.pop()
            self._edge_states.pop()
            self._node_states.pop()
            for action in self.nodes.pop().actions:
                self.actions.pop(action.action_id, None)
        self._append(order, since=1)

    def arrive(self) -> None:
        """The robot has come to the end of the next edge."""
        self.edges.popleft()
        self._edge_states.popleft()
        self._node_states.popleft()
        self._reach(self.nodes.popleft())

    def cancel(self) -> None:
        """Give up all that is ahead."""
        for ahead in (self.nodes, self.edges, self._node_states, self._edge_states, self.todo):
            ahead.clear()
        for action in list(self.actions.values()):
            if action.action_status not in ENDED:
                self._note(self.actions, action, ActionStatus.FAILED, "cancelled")
        self.base_end = self.stumbled = None

    def note(self, action: Action, status: ActionStatus, text: str | None = None) -> None:
        """Say how far one of the order's actions is."""
        known = self.actions.get(action.action_id)
        if known is not None and known.action_status not in ENDED:
            self._note(self.actions, known, status, text)

    def note_instant(self, action: Action, status: ActionStatus, text: str | None = None) -> None:
        """Say how far an instant action is; old ones are forgotten."""
        state = ActionState(
            action_id=action.action_id, action_type=action.action_type, action_status=status
        )
        self._note(self.instant, state, status, text)
        ended = [i for i, known in self.instant.items() if known.action_status in ENDED]
        for old in ended[: max(0, len(ended) - self._instant_kept)]:
            del self.instant[old]

    def clear_instant(self) -> None:
        """Forget all instant actions that have ended."""
        for known in list(self.instant.values()):
            if known.action_status in ENDED:
                del self.instant[known.action_id]

    def _append(self, order: Order, since: int) -> None:
        nodes, edges = order.nodes[since:], order.edges
        self.nodes.extend(nodes)
        self._node_states.extend(
            [_node_state(node.node_id, node.sequence_id, node.released) for node in nodes]
        )
        for action in [action for node in nodes for action in node.actions]:
            state = ActionState(
                action_id=action.action_id,
                action_type=action.action_type,
                action_status=ActionStatus.WAITING,
            )
            self.actions.setdefault(action.action_id, state)
        self.edges.extend(edges)
        self._edge_states.extend(
            [_edge_state(edge.edge_id, edge.sequence_id, edge.released) for edge in edges]
        )
        self.base_end = next((n for n in reversed(order.nodes) if n.released), self.base_end)

    def _reach(self, node: Node) -> None:
        self.last_node_id, self.last_sequence_id = node.node_id, node.sequence_id
        self.todo.extend(node.actions)

    @staticmethod
    def _note(
        book: dict[str, ActionState], known: ActionState, status: ActionStatus, text: str | None
    ) -> None:
        book[known.action_id] = ActionState(
            action_id=known.action_id,
            action_type=known.action_type,
            action_status=status,
            result_description=text,
        )


@lru_cache(_STATES_KEPT)
def _node_state(node_id: str, sequence_id: int, released: bool) -> NodeState:
    return NodeState(node_id=node_id, sequence_id=sequence_id, released=released)


@lru_cache(_STATES_KEPT)
def _edge_state(edge_id: str, sequence_id: int, released: bool) -> EdgeState:
    return EdgeState(edge_id=edge_id, sequence_id=sequence_id, released=released)
