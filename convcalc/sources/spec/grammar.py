"""The grammar of the spec language: YAML nodes to a `Document`.

Everything that can be said against a spec without the values of its variables is said here, for
all of its text: blocks that no layer uses and variants that were not asked for included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from convcalc.errors import (
    Findings,
    Place,
    Related,
    SourceText,
    catalogue,
    close_match,
    listed,
)
from convcalc.layers import Layer, activation_kinds, all_kinds, find_kind, kind_known_as
from convcalc.layers.declaration import FieldDeclaration
from convcalc.layers.field_types import Integer
from convcalc.sources.spec.document import (
    VARIES,
    Again,
    Argument,
    Block,
    BlockUse,
    Body,
    Branch,
    Chosen,
    Document,
    Entry,
    Group,
    LayerUse,
    Loop,
    Lost,
    Parallel,
    Residual,
    ScopeNames,
    Target,
    Template,
    Variable,
)
from convcalc.sources.spec.library import library_names, library_text, qualified
from convcalc.sources.spec.published_figures import published_figures
from convcalc.sources.spec.values import NO_ACTIVATION, Names, ValueGrammar, unknown_activation
from convcalc.sources.yaml_nodes import (
    YamlMapping,
    YamlNode,
    YamlScalar,
    YamlSequence,
    compose,
    described,
)

if TYPE_CHECKING:
    from convcalc.limits import Budget

__all__ = [
    "BLOCK_KEYS",
    "MODIFIERS",
    "STRUCTURES",
    "TOP_LEVEL_KEYS",
    "Grammar",
    "library_block",
]

MODIFIERS: Final = {
    "name": "what the layer is called, here and in every table",
    "from": "the layer, or list of layers, whose output it takes instead of the one before",
    "repeat": "how many times it stands in a row; `i` counts from 0",
    "for": "variables for each round: a list of mappings, or a mapping of lists",
    "if": "a condition; where it is false the layer is left out",
    "share": "the layer, block or group before it whose weights it uses; with no kind beside it, "
    "the same once more",
}
STRUCTURES: Final = {
    "layers": "a group: a list of layers",
    "parallel": "branches that start from the same input, and a `merge` that joins them",
    "residual": "a `body` and a `shortcut` past it (nothing: the input itself), added",
    "activation": "an activation by its name, which may be an expression, or `none`",
}
TOP_LEVEL_KEYS: Final = {
    "name": "what the network is called; by default its file's name",
    "source": "where the design comes from",
    "vars": "variables, each with its value; one without must be set by a variant or `--set`",
    "variants": "networks of the family: for each, the variables that it changes",
    "input": "shape of the input, channels first, without the batch",
    "inputs": "several inputs by name, in place of `input`",
    "blocks": "layer kinds of your own: `args` and `layers`",
    "layers": "the network",
    "outputs": "names of the layers whose outputs are the network's; by default the last",
    "published": "what others say that it costs, held against what is computed",
    "budget": "what it may cost, for `convcalc check`",
}
_TOP_LEVEL_KNOWN_AS = {
    **dict.fromkeys(("variables", "params", "parameters", "defaults", "const"), "vars"),
    **dict.fromkeys(("input_shape", "input_size", "shape"), "input"),
    **dict.fromkeys(("network", "model", "architecture", "backbone"), "layers"),
    "modules": "blocks",
}
_TOP_LEVEL_HINTS: Final = {
    key: f"did you mean `{meant}`?" for key, meant in _TOP_LEVEL_KNOWN_AS.items()
}
RESERVED_NAMES: Final = frozenset({"prev", "input"})
BLOCK_KEYS: Final = {
    "about": "what it is and what it costs, in a sentence or two",
    "source": "where its design comes from",
    "args": "its arguments, each with its default; one without must be given",
    "layers": "what it stands for",
}

_STRUCTURE_EXAMPLES: Final = {
    "parallel": "parallel: {merge: concat, branches: {left: [...], right: [...]}}",
    "residual": "residual: {body: [...], shortcut: [...]}",
}
MAX_STEPS_SHOWN: Final = 8
"""Blocks of a circle that a message names."""
_NO_BEARING = "it has no bearing on the cost: leave it out"
_NOT_FIELDS: Final = {
    "activation": "an activation is a layer of its own: put `- relu` after this one",
    "input_shape": "the shape of the network's input stands under `input`",
    "data_format": "shapes are channels first: leave it out",
    **dict.fromkeys(
        (
            *("padding_mode", "inplace", "device", "dtype", "trainable"),
            *("kernel_initializer", "bias_initializer", "kernel_regularizer"),
        ),
        _NO_BEARING,
    ),
}
"""What Keras and PyTorch have as arguments of a layer, and this language has not."""
AXIS_SIZE: Final = Integer(1)
COUNT: Final = Integer(0)
MAX_AXES: Final = 4
"""Sizes of a shape."""


class Grammar(ValueGrammar):
    """Reads one spec. What is wrong goes to ``findings``."""

    def __init__(self, source: SourceText, findings: Findings) -> None:
        super().__init__(findings)
        self.source = source
        self.block_names: tuple[str, ...] = ()
        self.block_arguments: dict[str, tuple[Argument, ...]] = {}
        self.lost_blocks: set[str] = set()
        """Blocks that could not be read; to use one is no other mistake."""
        self.variable_names = Names()
        self.variable_keys: dict[str, frozenset[str]] = {}
        self.uses: dict[str, list[tuple[str, Place]]] = {}
        self.block = ""
        self.shared: set[str] = set()
        self.library: dict[str, Block] = {}
        """The blocks of the library that are used, by their qualified names."""
        self.in_library = False

    # -- the whole ----------------------------------------------------------------------------

    def document(self, root: YamlNode | None) -> Document | None:
        """The spec as typed data; None if it is too broken to go on with."""
        if root is None or (isinstance(root, YamlScalar) and root.value is None):
            self.report(
                catalogue.EMPTY,
                "the spec is empty",
                Place(self.source, 1, 1),
                "a network needs `input` and `layers`",
            )
            return None
        if not isinstance(root, YamlMapping):
            self.report(
                catalogue.NOT_A_MAPPING,
                f"a spec is a mapping of `input`, `layers` and so on, not {described(root)}",
                root.place,
                "begin with `input: [3, 224, 224]` and `layers:`, each on a line of its own",
            )
            return None
        self.check_keys(root, TOP_LEVEL_KEYS, "a spec", _TOP_LEVEL_HINTS)
        entries = root.entries

        variables = self.variables(root)
        variants = self.variants(root)
        self.note_variable_keys(root)
        inputs = self.inputs(root, self.variable_names)
        blocks = self.blocks(root)

        layers: tuple[Entry, ...] = ()
        scope = ScopeNames()
        if "layers" in entries:
            scope.given.update(name for name, _ in inputs)
            names = Names(("in_channels",), self.variable_names)
            layers = self.entries(entries["layers"][1], scope, names, "layers")
        else:
            self.report(
                catalogue.MISSING_KEY,
                "the spec has no `layers`",
                root.place,
                "list the layers of the network under `layers:`",
            )
        for name in self.check_recursion(blocks):
            del blocks[name]
        blocks |= self.library
        return Document(
            name=self.optional_text(root, "name"),
            source=self.optional_text(root, "source"),
            variables=variables,
            variants=variants,
            inputs=inputs,
            blocks=blocks,
            layers=layers,
            names=scope,
            outputs=self.targets(entries["outputs"][1]) if "outputs" in entries else (),
            shared=frozenset(self.shared),
            published=published_figures(self, root, variants),
            budgets=self.budgets(root, tuple(variants)),
            place=root.place,
        )

    def budgets(self, root: YamlMapping, variants: tuple[str, ...]) -> tuple[Budget, ...]:
        """`budget`: what the network may cost."""
        if "budget" not in root.entries:
            return ()
        from convcalc.sources.budgets import spec_budgets  # noqa: PLC0415 - few specs have one

        return spec_budgets(self, root.entries["budget"][1], variants)

    # -- variables and variants -----------------------------------------------------------------

    def variables(self, root: YamlMapping) -> tuple[Variable, ...]:
        """`vars`: each may use those before it."""
        if "vars" not in root.entries:
            return ()
        mapping = self.mapping(root.entries["vars"][1], "`vars`", "vars: {width: 64}")
        if mapping is None:
            return ()
        self.declared = frozenset(mapping.entries)
        found: list[Variable] = []
        for name, (key, node) in mapping.entries.items():
            if not self.check_variable_name(name, key.place):
                continue
            is_open = isinstance(node, YamlScalar) and node.value is None
            value = (
                None if is_open else self.free_template(node, self.variable_names, own_words=True)
            )
            found.append(Variable(name, value, key.place))
            self.variable_names.add(name)
        return tuple(found)

    def variants(self, root: YamlMapping) -> dict[str, tuple[Variable, ...]]:
        """`variants`: for each, the variables that it sets."""
        if "variants" not in root.entries:
            return {}
        mapping = self.mapping(
            root.entries["variants"][1], "`variants`", "variants: {small: {width: 32}}"
        )
        variants: dict[str, tuple[Variable, ...]] = {}
        for name, (key, node) in mapping.entries.items() if mapping else ():
            self.check_name(name, key.place, dotted=True)
            if isinstance(node, YamlScalar) and node.value is None:
                variants[name] = ()
                continue
            changes = self.mapping(node, f"variant `{name}`", f"{name}: {{width: 32}}")
            settings: list[Variable] = []
            for variable, (variable_key, value) in changes.entries.items() if changes else ():
                if variable in self.variable_names:
                    template = self.free_template(value, self.variable_names, own_words=True)
                    settings.append(Variable(variable, template, variable_key.place))
                else:
                    close = close_match(variable, self.variable_names)
                    self.report(
                        catalogue.UNKNOWN_VARIABLE,
                        f"variant `{name}` sets `{variable}`, which is not under `vars`",
                        variable_key.place,
                        f"did you mean `{close}`?"
                        if close
                        else f"`vars` has {listed(self.variable_names) or 'none'}",
                    )
            variants[name] = tuple(settings)
        return variants

    def note_variable_keys(self, root: YamlMapping) -> None:
        """Remember which names a variable that holds a list of mappings brings to a `for`."""
        values: list[tuple[str, YamlNode]] = []
        vars_node = root.entries["vars"][1] if "vars" in root.entries else None
        if isinstance(vars_node, YamlMapping):
            values += [(name, node) for name, (_, node) in vars_node.entries.items()]
        variants_node = root.entries["variants"][1] if "variants" in root.entries else None
        if isinstance(variants_node, YamlMapping):
            for _, variant in variants_node.entries.values():
                if isinstance(variant, YamlMapping):
                    values += [(name, node) for name, (_, node) in variant.entries.items()]
        for name, node in values:
            if isinstance(node, YamlSequence):
                keys = frozenset(
                    key
                    for item in node.items
                    if isinstance(item, YamlMapping)
                    for key in item.entries
                )
                self.variable_keys[name] = self.variable_keys.get(name, frozenset()) | keys

    # -- inputs and outputs -----------------------------------------------------------------------

    def inputs(self, root: YamlMapping, names: Names) -> tuple[tuple[str, Template], ...]:
        """`input`, or `inputs`: names and shapes."""
        one, several = root.entries.get("input"), root.entries.get("inputs")
        if one and several:
            self.report(
                catalogue.CONFLICTING_KEYS,
                "a spec has `input` or `inputs`, not both",
                several[0].place,
                "name all of them under `inputs`",
                related=(Related("the other", one[0].place),),
            )
        if one:
            return (("input", self.shape_template(one[1], names)),)
        if several:
            mapping = self.mapping(several[1], "`inputs`", "inputs: {image: [3, 224, 224]}")
            found = []
            for name, (key, node) in mapping.entries.items() if mapping else ():
                self.check_name(name, key.place, reserved=frozenset({"prev"}))
                found.append((name, self.shape_template(node, names)))
            if mapping and not found:
                self.report(
                    catalogue.MISSING_KEY,
                    "`inputs` names no input",
                    several[0].place,
                    "`inputs: {image: [3, 224, 224]}`",
                )
            return tuple(found)
        self.report(
            catalogue.MISSING_KEY,
            "the spec has no `input`",
            root.place,
            "say the input's shape, channels first: `input: [3, 224, 224]`",
        )
        return ()

    def shape_template(self, node: YamlNode, names: Names) -> Template:
        """A shape: one to four sizes, or a variable that holds them."""
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            template = self.expression_template(node, names)
            if template.constant is VARIES:
                return template
        if not isinstance(node, YamlSequence) or not 1 <= len(node.items) <= MAX_AXES:
            what = (
                f"a list of {len(node.items)}"
                if isinstance(node, YamlSequence)
                else described(node)
            )
            self.report(
                catalogue.WRONG_TYPE,
                f"an input's shape is a list of 1 to {MAX_AXES} sizes, not {what}",
                node.place,
                "in brackets, channels first, without the batch: `[3, 224, 224]`",
            )
            return Template(node.place, VARIES)
        return self.sequence_template(
            node, lambda item: self.typed_template(item, AXIS_SIZE, names, "a size of the input")
        )

    def targets(self, node: YamlNode) -> tuple[Target, ...]:
        """The names of layers in `from` and `outputs`."""
        if isinstance(node, YamlSequence) and node.items:
            return tuple(target for item in node.items for target in self.targets(item))
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            return (Target(node.text, node.place),)
        self.report(
            catalogue.WRONG_TYPE,
            f"the name of a layer is a text, not {described(node)}",
            node.place,
            "one name, or a list of names: `[prev, stem]`",
        )
        return ()

    def share(self, node: YamlNode) -> Target | None:
        """The name in a `share`."""
        found = self.targets(node)
        if len(found) > 1:
            self.report(
                catalogue.WRONG_TYPE,
                f"`share` names one layer, not {len(found)}",
                node.place,
                "the weights can be those of one layer only",
            )
            return None
        for target in found:
            self.shared.add(target.name.rpartition(".")[2])
            return target
        return None

    # -- blocks ------------------------------------------------------------------------------------

    def blocks(self, root: YamlMapping) -> dict[str, Block]:
        """`blocks`: arguments first, because a block may use one that stands after it."""
        if "blocks" not in root.entries:
            return {}
        mapping = self.mapping(
            root.entries["blocks"][1], "`blocks`", "blocks: {twice: {layers: [relu, relu]}}"
        )
        if mapping is None:
            return {}
        bodies: list[tuple[str, YamlScalar, YamlMapping]] = []
        for name, (key, node) in mapping.entries.items():
            if name in all_kinds() or name in STRUCTURES or name in MODIFIERS:
                self.report(
                    catalogue.RESERVED_NAME,
                    f"`{name}` is a word of the spec language, so no block can be called so",
                    key.place,
                    "choose another name",
                )
                continue
            body = None
            if self.check_name(name, key.place):
                body = self.mapping(node, f"block `{name}`", f"{name}: {{layers: [...]}}")
            if body is None:
                self.lost_blocks.add(name)
                continue
            if name in library_names():
                self.report(
                    catalogue.HIDES_LIBRARY,
                    f"block `{name}` takes the place of the library's",
                    key.place,
                    "give it another name; or leave it out, if you mean the one of that name in "
                    "docs/library.md",
                )
            self.block_arguments[name] = self.arguments(body)
            bodies.append((name, key, body))
        self.block_names = tuple(self.block_arguments)
        return {name: self.block_body(name, body, key.place) for name, key, body in bodies}

    def block_body(self, name: str, body: YamlMapping, place: Place) -> Block:
        """A block, once the arguments of all blocks are known."""
        around, self.block = self.block, name
        self.check_keys(body, BLOCK_KEYS, "a block")
        arguments = self.block_arguments[name]
        entries: tuple[Entry, ...] = (self.lost_entry(body, ScopeNames()),)
        if "layers" in body.entries:
            own = (argument.name for argument in arguments)
            names = Names(("in_channels", *own), self.variable_names)
            entries = self.entries(body.entries["layers"][1], ScopeNames(), names, "layers")
        else:
            self.report(
                catalogue.MISSING_KEY,
                f"block `{name}` has no `layers`",
                place,
                f"`{name}: {{args: {{...}}, layers: [...]}}`",
            )
        self.block = around
        return Block(
            name,
            arguments,
            entries,
            place,
            self.optional_text(body, "about"),
            self.optional_text(body, "source"),
        )

    def find_block(self, name: str) -> str | None:
        """The block that ``name`` means here: the spec's own, else the library's, which is read.

        A block of the library knows those of the library only.
        """
        if not self.in_library and (name in self.block_arguments or name in self.lost_blocks):
            return name
        if name not in library_names():
            return None
        if qualified(name) not in self.block_arguments:
            self.read_library(name)
        return qualified(name)

    def read_library(self, name: str) -> None:
        """Read a block of the library, and those that it uses."""
        source, text = library_text(name)
        body = compose(source, text, self.findings)
        assert isinstance(body, YamlMapping)  # noqa: S101 - each block of the library is tested
        around = self.in_library, self.variable_names
        self.in_library, self.variable_names = True, Names()
        called = qualified(name)
        self.block_arguments[called] = self.arguments(body)
        self.library[called] = self.block_body(called, body, body.place)
        self.in_library, self.variable_names = around

    def arguments(self, body: YamlMapping) -> tuple[Argument, ...]:
        """`args` of a block, each with its default; a default may use those before it."""
        if "args" not in body.entries:
            return ()
        mapping = self.mapping(body.entries["args"][1], "`args`", "args: {channels: , stride: 1}")
        names = Names(("in_channels",), self.variable_names)
        found: list[Argument] = []
        for name, (key, node) in mapping.entries.items() if mapping else ():
            if not self.check_variable_name(name, key.place):
                continue
            required = isinstance(node, YamlScalar) and node.value is None
            default = None if required else self.free_template(node, names)
            found.append(Argument(name, default))
            names.add(name)
        return tuple(found)

    def check_recursion(self, blocks: dict[str, Block]) -> set[str]:
        """Report each use of a block that leads back to the block itself; all such blocks."""
        circular: set[str] = set()
        done: set[str] = set()
        for first in blocks:
            if first in done:
                continue
            # The way from `first` to where we are; each block with the uses yet to be followed.
            path = {first: iter(self.uses.get(first, ()))}
            while path:
                name, uses = next(reversed(path.items()))
                for used, place in uses:
                    if used in path:
                        steps = [*path, used]
                        self.report_circle(steps[steps.index(used) :], place)
                        circular.add(used)
                    elif used in blocks and used not in done:
                        path[used] = iter(self.uses.get(used, ()))
                        break
                else:
                    del path[name]
                    done.add(name)
        return circular

    def report_circle(self, circle: list[str], place: Place) -> None:
        """Report a use that leads from the first block of ``circle`` back to it."""
        if len(circle) == 2:
            message = f"block `{circle[0]}` uses itself"
        else:
            steps = [f"`{step}`" for step in circle]
            if len(steps) > MAX_STEPS_SHOWN:
                steps[MAX_STEPS_SHOWN // 2 : -MAX_STEPS_SHOWN // 2] = ["…"]
            message = "blocks use each other in a circle: " + " → ".join(steps)
        self.report(
            catalogue.RECURSIVE_BLOCK,
            message,
            place,
            "a network is finite: use `repeat` or `for`",
        )

    # -- layers ------------------------------------------------------------------------------------

    def entries(
        self,
        node: YamlNode,
        scope: ScopeNames,
        names: Names,
        what: str,
        *,
        repeated: bool = False,
        may_be_empty: bool = False,
    ) -> tuple[Entry, ...]:
        """A list of layers."""
        if isinstance(node, YamlScalar) and node.value is None and may_be_empty:
            return ()
        if not isinstance(node, YamlSequence):
            self.report(
                catalogue.WRONG_TYPE,
                f"`{what}` must be a list of layers, not {described(node)}",
                node.place,
                "each layer starts with a dash and a space: `- relu`",
            )
            return (self.lost_entry(node, scope),)
        if not node.items and not may_be_empty:
            self.report(
                catalogue.EMPTY,
                f"`{what}` lists no layers",
                node.place,
                "list at least one: `- relu`",
            )
        return tuple([self.entry(item, scope, names, repeated=repeated) for item in node.items])

    def lost_entry(self, node: YamlNode, scope: ScopeNames) -> Entry:
        """A layer that cannot be read; if it has a name, `from` may use it."""
        name: str | None = None
        if isinstance(node, YamlMapping) and "name" in node.entries:
            given = node.entries["name"][1]
            name = given.text if isinstance(given, YamlScalar) else None
        return Entry(
            body=Lost(),
            place=node.place,
            kind="",
            name=name,
            name_place=node.place,
            scope=scope,
            sources=(),
            share=None,
            repeat=None,
            loop=None,
            condition=None,
            is_plain=True,
            reads_channels=False,
        )

    def entry(self, node: YamlNode, scope: ScopeNames, names: Names, *, repeated: bool) -> Entry:
        """One layer, block or structure with its modifiers."""
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            mapping = YamlMapping(
                node.place, {node.text: (node, YamlScalar(node.place, None, "", quoted=False))}
            )
        elif isinstance(node, YamlMapping):
            mapping = node
        else:
            self.report(
                catalogue.NOT_A_MAPPING,
                f"a layer is a kind, or a mapping with one, not {described(node)}",
                node.place,
                "write `- relu`, or `- conv: {out_channels: 64, kernel_size: 3}`",
            )
            return self.lost_entry(node, scope)
        kind = self.kind_of(mapping)
        if kind is None:
            return self.lost_entry(node, scope)
        key, value = mapping.entries[kind]
        value = self.with_strays(mapping, kind, value)

        modifiers = mapping.entries
        inner = names
        loop: Loop | None = None
        if "for" in modifiers:
            before = self.complaints
            loop, loop_names = self.loop(modifiers["for"][1], names)
            are_known = self.complaints == before
            inner = Names(("i", *sorted(loop_names)), inner, are_known=are_known)
        repeat: Template | None = None
        if "repeat" in modifiers:
            repeat = self.typed_template(modifiers["repeat"][1], COUNT, inner, "`repeat`")
            inner = Names(("i",), inner)
        condition: Template | None = None
        if "if" in modifiers:
            condition = self.condition(modifiers["if"][1], inner)
        name: str | None = None
        loops = loop is not None or repeat is not None
        if "name" in modifiers:
            name_node = modifiers["name"][1]
            name = self.text(name_node, "name")
            if name is not None and not self.check_name(name, name_node.place):
                name = None
            if name is not None and not loops:
                if condition is None and name in scope.certain:
                    self.report(
                        catalogue.DUPLICATE_NAME,
                        f"two layers here are called `{name}`",
                        name_node.place,
                        "`from` and the tables tell layers apart by their names",
                    )
                scope.given.add(name)
                if condition is None:
                    scope.certain.add(name)
        sources = self.targets(modifiers["from"][1]) if "from" in modifiers else ()
        share = self.share(modifiers["share"][1]) if "share" in modifiers else None

        inside = repeated or loops
        body: Body | None
        if kind == "share":
            if name is None and share is not None:
                kind = f"{share.name.rpartition('.')[2]}_again"
                scope.count(kind, repeated=inside)
            body, share = (Again(share) if share is not None else None), None
        elif kind == "activation":
            chosen = self.activation(value, inner)
            if isinstance(chosen, LayerUse):
                kind = chosen.kind.kind
            if name is None:
                scope.count(kind, repeated=inside)
            body = chosen
        elif kind in STRUCTURES:
            # A structure with a name is a scope; without one its layers belong to the scope around.
            inner_scope = scope if name is None else ScopeNames()
            inside = inside if name is None else False
            body = self.structure(kind, value, inner_scope, inner, repeated=inside, place=key.place)
        else:
            if name is None:
                scope.count(kind, repeated=inside)
            block = self.find_block(kind)
            if block in self.lost_blocks:
                body = Lost()
            elif block is not None:
                body = self.block_use(block, kind, value, inner, key.place)
            else:
                declared = find_kind(kind)
                assert declared is not None  # noqa: S101 - kind_of() has found it
                body = self.layer_use(declared, value, inner, key.place)
        if (
            body is None
            or ("from" in modifiers and not sources)
            or ("share" in modifiers and share is None and not isinstance(body, Again))
        ):
            body = Lost()
        templates = [t for t in (repeat, condition) if t is not None]
        if isinstance(body, LayerUse):
            templates += [template for _, template in body.templates]
        elif isinstance(body, BlockUse):
            templates += [template for _, template in body.arguments]
        elif isinstance(body, Chosen):
            templates.append(body.kind)
        if loop is not None:
            templates += loop_templates(loop)
        return Entry(
            body=body,
            place=key.place,
            kind=kind,
            name=name,
            name_place=modifiers["name"][1].place if "name" in modifiers else key.place,
            scope=scope,
            sources=sources,
            share=share,
            repeat=repeat,
            loop=loop,
            condition=condition,
            is_plain=not (sources or share or loops or condition is not None),
            reads_channels=any("in_channels" in template.names for template in templates),
        )

    def kind_of(self, mapping: YamlMapping) -> str | None:
        """The one key of an entry that says what it is; None, reported, if there is not one."""
        candidates = [key for key in mapping.entries if key not in MODIFIERS]
        known = [key for key in candidates if self.is_kind(key)]
        if len(known) == 1:
            self.report_stray_keys(mapping, known[0], candidates)
            return known[0]
        if len(known) > 1:
            second = mapping.entries[known[1]][0]
            self.report(
                catalogue.SEVERAL_KINDS,
                f"one layer is both `{known[0]}` and `{known[1]}`",
                second.place,
                "each layer is an item of its own: put a dash before it",
            )
            return None
        if not candidates and "share" in mapping.entries:
            return "share"
        if not candidates:
            self.report(
                catalogue.NO_KIND,
                "this layer has no kind",
                mapping.place,
                "say what it is, for example `conv: {out_channels: 64, kernel_size: 3}`",
            )
        for key in candidates:
            self.report_unknown_kind(key, mapping.entries[key][0].place)
        return None

    def is_kind(self, key: str) -> bool:
        """Whether ``key`` names a layer kind, block or structure."""
        return key in all_kinds() or key in STRUCTURES or self.find_block(key) is not None

    def field_names(self, kind: str) -> tuple[str, ...]:
        """The fields of a kind, or the arguments of a block."""
        block = self.find_block(kind)
        if block is not None:
            return tuple(argument.name for argument in self.block_arguments.get(block, ()))
        declared = find_kind(kind)
        return tuple(d.name for d in declared.declarations) if declared else ()

    def with_strays(self, mapping: YamlMapping, kind: str, value: YamlNode) -> YamlNode:
        """The fields of ``kind``, and those that stand beside it by mistake: none is missing."""
        if len(mapping.entries) == 1:
            return value
        fields = self.field_names(kind)
        strays = {
            name: entry
            for name, entry in mapping.entries.items()
            if name in fields and name != kind and name not in MODIFIERS
        }
        if not strays or (isinstance(value, YamlScalar) and value.value is not None):
            return value
        given = value.entries if isinstance(value, YamlMapping) else {}
        return YamlMapping(value.place, strays | given)

    def report_stray_keys(self, mapping: YamlMapping, kind: str, candidates: list[str]) -> None:
        """Report the keys beside the kind that are not modifiers."""
        fields = self.field_names(kind)
        for key in candidates:
            if key == kind:
                continue
            if key in fields:
                hint = f"it belongs into `{kind}`: write `{kind}: {{{key}: …}}`, or indent it more"
            else:
                close = close_match(key, (*MODIFIERS, *STRUCTURES))
                hint = f"did you mean `{close}`?" if close else f"beside it: {listed(MODIFIERS)}"
            self.report(
                catalogue.UNKNOWN_KEY,
                f"unknown key `{key}` beside `{kind}`",
                mapping.entries[key][0].place,
                hint,
            )

    def report_unknown_kind(self, key: str, place: Place) -> None:
        """Report a key that is no kind, with the one that was probably meant."""
        options = (*all_kinds(), *STRUCTURES, *self.block_names, *library_names(), *MODIFIERS)
        known = kind_known_as(key) or close_match(key, options)
        if known:
            hint = f"did you mean `{known}`?"
        elif " - " in key:
            hint = "a dash that stands further in belongs to the text before it: align the dashes"
        else:
            hint = "see `docs/layers.md` and `docs/library.md` for the kinds and blocks there are"
        self.report(catalogue.UNKNOWN_KIND, f"unknown layer kind `{key}`", place, hint)

    def loop(self, node: YamlNode, names: Names) -> tuple[Loop, frozenset[str]]:
        """A `for`, and the variables that it sets."""
        before = self.complaints
        if isinstance(node, YamlSequence):
            if not node.items:
                self.report(
                    catalogue.EMPTY,
                    "this `for` has no rounds",
                    node.place,
                    "list at least one, or leave the layer out",
                )
            rounds: list[tuple[tuple[str, Template], ...]] = []
            keys: frozenset[str] = frozenset()
            for item in node.items:
                if not isinstance(item, YamlMapping):
                    self.report(
                        catalogue.WRONG_TYPE,
                        f"a round of `for` is a mapping, not {described(item)}",
                        item.place,
                        "`for: [{width: 64}, {width: 128}]`, or `for: {width: [64, 128]}`",
                    )
                    continue
                rounds.append(
                    tuple(
                        (name, self.free_template(value, names))
                        for name, (key, value) in item.entries.items()
                        if self.check_variable_name(name, key.place)
                    )
                )
                if len(rounds) > 1 and keys != frozenset(item.entries):
                    missing = keys ^ frozenset(item.entries)
                    self.report(
                        catalogue.MISSING_KEY,
                        "the rounds of a `for` set different variables: not all of them have "
                        + listed(sorted(missing)),
                        item.place,
                        "give every round the same variables",
                    )
                keys |= frozenset(item.entries)
            if self.complaints > before:  # what the rounds are is not known
                return Loop(node.place, expression=Template(node.place, VARIES)), keys
            return Loop(node.place, rounds=tuple(rounds)), keys
        if isinstance(node, YamlMapping):
            lists = tuple(
                (name, self.free_template(value, names))
                for name, (key, value) in node.entries.items()
                if self.check_variable_name(name, key.place)
            )
            if not lists:
                self.report(
                    catalogue.EMPTY,
                    "this `for` sets no variable",
                    node.place,
                    "`for: {width: [64, 128]}`; to do the same several times use `repeat`",
                )
            return Loop(node.place, lists=lists), frozenset(name for name, _ in lists)
        if isinstance(node.value, str):
            template = self.expression_template(node, names)
            keys = frozenset().union(
                *(self.variable_keys.get(name, frozenset()) for name in template.names)
            )
            return Loop(node.place, expression=template), keys
        self.report(
            catalogue.WRONG_TYPE,
            f"`for` must be a list of mappings, or a mapping of lists, not {described(node)}",
            node.place,
            "to do the same several times use `repeat`",
        )
        return Loop(node.place, expression=Template(node.place, VARIES)), frozenset()

    def condition(self, node: YamlNode, names: Names) -> Template:
        """An `if`: an expression that is true or false."""
        if isinstance(node, YamlScalar):
            if isinstance(node.value, bool):
                return Template(node.place, node.value)
            if isinstance(node.value, str):
                return self.expression_template(node, names)
        self.report(
            catalogue.WRONG_TYPE,
            f"`if` must be a condition, not {described(node)}",
            node.place,
            "for example `if: stride != 1`",
        )
        return Template(node.place, VARIES)

    def activation(self, node: YamlNode, names: Names) -> LayerUse | Chosen | Lost:
        """`activation`: the kind if it is written out, else what says which."""
        if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
            self.report(
                catalogue.WRONG_TYPE,
                f"`activation` must be the name of one, not {described(node)}",
                node.place,
                "for example `activation: relu`",
            )
            return Lost()
        template = self.free_template(node, names, own_words=True)
        word = template.constant
        if word is VARIES:
            return Chosen(template) if template.parts is not None else Lost()
        if word == NO_ACTIVATION:
            return Chosen(template)
        declared = activation_kinds().get(word) if isinstance(word, str) else None
        if declared is None:
            message, hint = unknown_activation(word)
            self.report(catalogue.UNKNOWN_KIND, message, node.place, hint)
            return Lost()
        return LayerUse(declared, (), (), {}, node.place, is_valid=True)

    def structure(
        self,
        kind: str,
        node: YamlNode,
        scope: ScopeNames,
        names: Names,
        *,
        repeated: bool,
        place: Place,
    ) -> Body | None:
        """A group, `parallel` or `residual`."""
        if kind == "layers":
            return Group(self.entries(node, scope, names, "layers", repeated=repeated))
        mapping = self.mapping(node, f"`{kind}`", _STRUCTURE_EXAMPLES[kind])
        if mapping is None:
            return None
        if kind == "residual":
            return self.residual(mapping, scope, names, repeated=repeated, place=place)
        return self.parallel(mapping, scope, names, repeated=repeated, place=place)

    def residual(
        self,
        mapping: YamlMapping,
        scope: ScopeNames,
        names: Names,
        *,
        repeated: bool,
        place: Place,
    ) -> Residual | None:
        """`residual: {body: [...], shortcut: [...]}`."""
        self.check_keys(mapping, ("body", "shortcut"), "a `residual`", _belonging("residual"))
        if "body" not in mapping.entries:
            self.report(
                catalogue.MISSING_KEY,
                "this `residual` has no `body`",
                place,
                f"`{_STRUCTURE_EXAMPLES['residual']}`",
            )
            return None
        body = self.entries(
            mapping.entries["body"][1], scope, names, "body", repeated=repeated, may_be_empty=True
        )
        shortcut: tuple[Entry, ...] = ()
        if "shortcut" in mapping.entries:
            shortcut = self.entries(
                mapping.entries["shortcut"][1], ScopeNames(), names, "shortcut", may_be_empty=True
            )
        scope.count("shortcut", repeated=repeated)
        scope.count("add", repeated=repeated)
        return Residual(
            body, Branch("shortcut", shortcut, scope, place), self.merge_entry("add", scope, place)
        )

    def parallel(
        self,
        mapping: YamlMapping,
        scope: ScopeNames,
        names: Names,
        *,
        repeated: bool,
        place: Place,
    ) -> Parallel | None:
        """`parallel: {merge: concat, branches: {...}}`."""
        self.check_keys(mapping, ("merge", "branches"), "a `parallel`", _belonging("parallel"))
        missing = [key for key in ("merge", "branches") if key not in mapping.entries]
        if missing:
            self.report(
                catalogue.MISSING_KEY,
                f"this `parallel` has no {listed(missing)}",
                place,
                f"`{_STRUCTURE_EXAMPLES['parallel']}`",
            )
            return None
        branches: list[Branch] = []
        branch_mapping = self.mapping(
            mapping.entries["branches"][1], "`branches`", "branches: {left: [...], right: [...]}"
        )
        for name, (key, node) in branch_mapping.entries.items() if branch_mapping else ():
            self.check_name(name, key.place)
            scope.count(name, repeated=repeated)
            entries = self.entries(node, ScopeNames(), names, name, may_be_empty=True)
            branches.append(Branch(name, entries, scope, key.place))
        if branch_mapping and len(branches) < 2:
            self.report(
                catalogue.MISSING_KEY,
                f"a `parallel` needs two branches or more, not {len(branches)}",
                branch_mapping.place,
                "a branch without layers, such as `skip: []`, passes the input on",
            )
        merge = self.merge(mapping.entries["merge"][1], scope, names, repeated=repeated)
        if merge is None or len(branches) < 2:
            return None
        return Parallel(tuple(branches), merge)

    def merge(
        self, node: YamlNode, scope: ScopeNames, names: Names, *, repeated: bool
    ) -> Entry | None:
        """How branches are joined: the name of a merging kind, or the kind with its fields."""
        takes = {kind: declared.takes for kind, declared in all_kinds().items()}
        merging = sorted(
            (kind for kind in takes if takes[kind].allows(2)),
            key=lambda kind: takes[kind].fewest == 1,
        )
        kind: str | None = None
        if isinstance(node, YamlScalar) and isinstance(node.value, str):
            kind = node.text
        elif isinstance(node, YamlMapping) and len(node.entries) == 1:
            (kind,) = node.entries
        if kind in merging:
            return self.entry(node, scope, names, repeated=repeated)
        known = (kind_known_as(kind) or close_match(kind, merging)) if kind else None
        self.report(
            catalogue.UNKNOWN_KIND,
            f"`merge` must be one of {listed(merging)}, not {described(node)}",
            node.place,
            f"did you mean `{known}`?" if known in merging else None,
        )
        return None

    def merge_entry(self, kind: str, scope: ScopeNames, place: Place) -> Entry:
        """A merge without fields, as if it stood at ``place``."""
        declared = find_kind(kind)
        assert declared is not None  # noqa: S101 - the caller names a kind that there is
        return Entry(
            body=LayerUse(declared, (), (), {}, place, is_valid=True),
            place=place,
            kind=kind,
            name=None,
            name_place=place,
            scope=scope,
            sources=(),
            share=None,
            repeat=None,
            loop=None,
            condition=None,
            is_plain=True,
            reads_channels=False,
        )

    # -- uses of kinds and blocks -----------------------------------------------------------------

    def layer_use(
        self, kind: type[Layer], node: YamlNode, names: Names, place: Place
    ) -> LayerUse | None:
        """A layer kind with its fields."""
        declarations = {declared.name: declared for declared in kind.declarations}
        required = tuple(d.name for d in declarations.values() if d.is_required)
        entries = self.field_entries(node, kind.kind, required or tuple(declarations)[:1])
        if entries is None:
            return None
        before = self.complaints
        constants: list[tuple[str, object]] = []
        templates: list[tuple[FieldDeclaration, Template]] = []
        places: dict[str, Place] = {}
        meant: set[str | None] = set()
        for name, (key, value) in entries.items():
            declared = declarations.get(name)
            if declared is None:
                meant.add(
                    self.report_unknown_field(name, key.place, kind.kind, declarations.values())
                )
                continue
            places[name] = value.place
            template = self.typed_template(value, declared.type, names, f"`{name}`", declared)
            if template.constant is VARIES:
                templates.append((declared, template))
            else:
                constants.append((name, template.constant))
        missing = [
            d
            for d in declarations.values()
            if d.is_required and d.name not in entries and d.name not in meant
        ]
        if missing:
            self.report(
                catalogue.MISSING_FIELD,
                f"`{kind.kind}` needs {listed(d.name for d in missing)}",
                place,
                "; ".join(f"`{d.name}`: {d.help}" for d in missing),
            )
        return LayerUse(
            kind, tuple(constants), tuple(templates), places, place, self.complaints == before
        )

    def block_use(
        self, block: str, called: str, node: YamlNode, names: Names, place: Place
    ) -> BlockUse | None:
        """A block, ``called`` so where it is used, with its arguments."""
        arguments = {argument.name: argument for argument in self.block_arguments[block]}
        self.uses.setdefault(self.block, []).append((block, place))
        required = tuple(a.name for a in arguments.values() if a.default is None)
        entries = self.field_entries(node, called, required or tuple(arguments)[:1])
        if entries is None:
            return None
        given: list[tuple[str, Template]] = []
        meant: set[str | None] = set()
        for name, (key, value) in entries.items():
            if name in arguments:
                given.append((name, self.free_template(value, names)))
            else:
                close = close_match(name, arguments)
                meant.add(close)
                self.report(
                    catalogue.UNKNOWN_KEY,
                    f"unknown argument `{name}` of block `{called}`",
                    key.place,
                    f"did you mean `{close}`?"
                    if close
                    else f"it takes {listed(arguments) or 'no arguments'}",
                )
        missing = [
            a.name
            for a in arguments.values()
            if a.default is None and a.name not in entries and a.name not in meant
        ]
        if missing:
            self.report(
                catalogue.MISSING_FIELD,
                f"block `{called}` needs {listed(missing)}",
                place,
                f"write `{fields_example(called, missing)}`"
                + ("" if block in self.library else ", or give it a default under `args`"),
            )
        return BlockUse(block, tuple(given))

    def field_entries(
        self, node: YamlNode, kind: str, fields: tuple[str, ...]
    ) -> dict[str, tuple[YamlScalar, YamlNode]] | None:
        """The keys given to a kind or block; nothing stands for none."""
        if isinstance(node, YamlScalar) and node.value is None:
            return {}
        if isinstance(node, YamlMapping):
            return node.entries
        example = fields_example(kind, fields) if fields else kind
        self.report(
            catalogue.NOT_A_MAPPING,
            f"the fields of `{kind}` must be a mapping, not {described(node)}",
            node.place,
            f"write `{example}`",
        )
        return None

    def report_unknown_field(
        self, name: str, place: Place, kind: str, declared: Iterable[FieldDeclaration]
    ) -> str | None:
        """Report a key that a kind does not have; the field that was probably meant, if any."""
        declared = tuple(declared)
        folded = name.lower()
        by_alias = next((d.name for d in declared if folded in d.known_as), None)
        # `kernal` is close to `kernel`, which is what others call `kernel_size`.
        by_any_name = {a: d.name for d in declared for a in d.known_as if len(a) > 2}
        by_any_name |= {d.name: d.name for d in declared}
        close = by_alias or by_any_name.get(close_match(name, by_any_name) or "")
        if by_alias:
            hint = f"it is called `{by_alias}` here"
        elif folded in _NOT_FIELDS:
            hint, close = _NOT_FIELDS[folded], None
        elif name in MODIFIERS:
            hint, close = f"it belongs beside `{kind}`, not into it", None
        elif close:
            hint = f"did you mean `{close}`?"
        else:
            hint = f"`{kind}` has " + (listed(d.name for d in declared) or "no fields")
        self.report(catalogue.UNKNOWN_KEY, f"unknown key `{name}` in a `{kind}` layer", place, hint)
        return close

    # -- values ------------------------------------------------------------------------------------

    def check_name(
        self,
        name: str,
        place: Place,
        reserved: frozenset[str] = RESERVED_NAMES,
        *,
        dotted: bool = False,
    ) -> bool:
        """Whether something may be called ``name``; reported if not.

        A dot parts a layer's group from the layer; only what is in no group may be ``dotted``.
        """
        if name in reserved:
            self.report(
                catalogue.RESERVED_NAME,
                f"`{name}` has a meaning of its own in `from`",
                place,
                "choose another name",
            )
            return False
        has_dot = "." in name and not dotted
        if (
            0 < len(name) <= 80
            and name.isprintable()
            and name == name.strip()
            and not has_dot
            and "::" not in name
        ):
            return True
        reason = (
            "a dot separates a group from what is in it"
            if has_dot and name.isprintable()
            else "a name has 1 to 80 printable characters, no `::` and no space around it"
        )
        self.report(catalogue.BAD_NAME, f"{name[:80]!r} cannot be a name", place, reason)
        return False


def _belonging(word: str) -> dict[str, str]:
    """What to say of modifiers that stand inside what they should stand beside."""
    return dict.fromkeys(MODIFIERS, f"it belongs beside `{word}`, not into it")


def fields_example(kind: str, fields: Sequence[str]) -> str:
    """How a kind or block is given its fields; of many the first few."""
    shown = [f"{name}: …" for name in fields[:4]] + ["…"] * (len(fields) > 4)
    return f"{kind}: {{{', '.join(shown)}}}"


def loop_templates(loop: Loop) -> list[Template]:
    """All templates of a `for`."""
    found = [template for a_round in loop.rounds for _, template in a_round]
    found += [template for _, template in loop.lists]
    return found if loop.expression is None else [*found, loop.expression]


def library_block(name: str) -> Block:
    """A block of the library."""
    findings = Findings()
    grammar = Grammar(SourceText("library", ""), findings)
    grammar.read_library(name)
    return grammar.library[qualified(name)]
