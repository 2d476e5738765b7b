"""The asset graph as a picture: mermaid text made from the definitions, for the README."""

import dagster as dg

_GROUPS = (
    "source",
    "plan",
    "preparation",
    "approval",
    "normalized",
    "clearance",
    "pipedrive",
    "reconciliation",
    "cutover",
)
_AS_ONE = ("raw", "normalized")


def mermaid(defs: dg.Definitions) -> str:
    """One node an asset (feeds and normalized frames are one each), one frame a group; implied arrows left out."""
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    groups: dict[str, set[str]] = {group: set() for group in _GROUPS}
    after: dict[str, set[str]] = {}
    batched: set[str] = set()
    for name, spec in specs.items():
        node = _node(name)
        groups[spec.group_name or ""].add(node)
        after.setdefault(node, set()).update(_node(dep.asset_key.to_user_string()) for dep in spec.deps)
        if spec.partitions_def is not None:
            batched.add(node)
    lines = ["flowchart LR"]
    for group, nodes in groups.items():
        lines.append(f"  subgraph {group}_group[{group}]")
        lines += [
            f'    {_id(node)}["{node}{" [batch]" if node in batched else ""}"]' for node in sorted(nodes)
        ]
        lines.append("  end")
    arrows = sorted((before, node) for node, befores in after.items() for before in befores if before != node)
    lines += [f"  {_id(a)} --> {_id(b)}" for a, b in arrows if not _implied(after, a, b)]
    return "\n".join(lines)


def _implied(after: dict[str, set[str]], first: str, last: str) -> bool:
    """Whether another way leads from the first node to the last."""
    seen: set[str] = set()
    waiting = after[last] - {first, last}
    while waiting:
        node = waiting.pop()
        if node == first:
            return True
        seen.add(node)
        waiting |= after.get(node, set()) - seen
    return False


def _node(name: str) -> str:
    room = name.split("/")[0]
    return f"{room}/*" if room in _AS_ONE else name


def _id(node: str) -> str:
    return node.replace("/", "_").replace("*", "all")
