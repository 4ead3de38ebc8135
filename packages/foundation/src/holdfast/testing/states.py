"""State machines as values: a table for a test, a diagram for a README."""

from typing import Any

from django.db import models
from django_fsm import FSMFieldMixin, State, Transition


def transition_table(model: type[models.Model], field: str = "state") -> dict[tuple[str, str], str]:
    """Return the law of a state machine as ``{(source, transition): target}``; write it down in a test.

    A transition that only checks (``target=None``) leads back to its source.
    """
    return {
        (str(transition.source), transition.name): _target(transition)
        for transition in sorted(_transitions(model, field), key=_order(model, field))
    }


def state_diagram(model: type[models.Model], field: str = "state") -> str:
    """Return the state machine as a Mermaid ``stateDiagram-v2``, the same text for the same model."""
    state_field = model._meta.get_field(field)
    lines = ["stateDiagram-v2"]
    if state_field.has_default():  # type: ignore[union-attr]  # a state field is no relation's reverse side
        lines.append(f"    [*] --> {_value(state_field.get_default())}")  # type: ignore[union-attr]  # as above
    table = transition_table(model, field)
    lines += [f"    {source} --> {target}: {name}" for (source, name), target in table.items()]
    left = {source for source, _ in table}
    lines += [f"    {target} --> [*]" for target in dict.fromkeys(table.values()) if target not in left]
    return "\n".join(lines) + "\n"


def _transitions(model: type[models.Model], field: str) -> list[Transition]:
    state_field = model._meta.get_field(field)
    if not isinstance(state_field, FSMFieldMixin):
        raise TypeError(f"{model.__name__}.{field} is not a state field of django-fsm-2.")
    return list(state_field.get_all_transitions(model))


def _order(model: type[models.Model], field: str) -> Any:
    choices = [_value(value) for value, _label in model._meta.get_field(field).flatchoices]  # type: ignore[union-attr]
    places = {value: place for place, value in enumerate(choices)}

    def order(transition: Transition) -> tuple[int, str, str]:
        source = str(transition.source)
        return places.get(source, len(places)), source, transition.name

    return order


def _target(transition: Transition) -> str:
    if isinstance(transition.target, State):
        # RETURN_VALUE and GET_STATE: known states or, where nobody said which, a question mark.
        allowed = getattr(transition.target, "allowed_states", None)
        return " | ".join(_value(state) for state in allowed) if allowed else "?"
    return str(transition.source) if transition.target is None else _value(transition.target)


def _value(state: object) -> str:
    return str(getattr(state, "value", state))
