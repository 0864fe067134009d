"""From guard text to nodes: one recursive descent, one token of look-ahead, hard limits on size and depth."""

import difflib
from typing import Final

import msgspec

from elohim_kernel.errors import Invalid
from elohim_kernel.model.guards.functions import FUNCTIONS, Style
from elohim_kernel.model.guards.nodes import (
    Binary,
    Call,
    Choice,
    Has,
    Index,
    ListOf,
    Literal,
    Logic,
    Macro,
    MapOf,
    Member,
    Name,
    Node,
    Unary,
    levels,
)
from elohim_kernel.model.guards.source import refusal
from elohim_kernel.model.guards.tokens import Token, tokens

MAX_NODES: Final = 500
MAX_DEPTH: Final = 32
MACROS: Final = ("all", "exists", "exists_one", "filter", "map")

_LEVELS: Final = {
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 1),
    **dict.fromkeys(("+", "-"), 2),
    **dict.fromkeys(("*", "/", "%"), 3),
}
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    {
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    }
)
_INT_LIMIT: Final = 2**63


def parse_text(text: str) -> Node:
    """Parse; raises `Invalid` with line, column, a caret, and what was expected there."""
    parser = _Parser(text)
    root = parser.expression()
    parser.expect_end()
    for node, depth in levels(root):
        if depth > MAX_DEPTH:
            raise parser.too_deep(node.start)
    return root


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens(text)
        self._next = 0
        self._nodes = 0
        self._nesting = 0

    def expression(self) -> Node:
        self._nesting += 1
        if self._nesting > MAX_DEPTH:
            raise self.too_deep(self._peek.start)
        condition = self._logic("||")
        if self._take("?"):
            then = self._logic("||")
            self._expect(":", "a ? b : c needs its : part")
            otherwise = self.expression()
            condition = self._made(
                Choice(condition=condition, then=then, otherwise=otherwise, start=condition.start, end=otherwise.end)
            )
        self._nesting -= 1
        return condition

    def expect_end(self) -> None:
        if self._peek.kind != "end":
            raise self._unexpected("an operator or the end")

    def too_deep(self, position: int) -> Invalid:
        return refusal(
            self._text, position, f"nested deeper than {MAX_DEPTH} levels", hint="simplify or split the guard"
        )

    def _logic(self, operator: str) -> Node:
        operands = [self._operand_of(operator)]
        while self._take(operator):
            operands.append(self._operand_of(operator))
        if len(operands) == 1:
            return operands[0]
        start, end = operands[0].start, operands[-1].end
        return self._made(Logic(operator=operator, operands=tuple(operands), start=start, end=end))

    def _operand_of(self, operator: str) -> Node:
        return self._logic("&&") if operator == "||" else self._binary(1)

    def _binary(self, level: int) -> Node:
        if level > 3:
            return self._unary()
        left = self._binary(level + 1)
        while _LEVELS.get(self._peek.text) == level and self._peek.kind in ("operator", "name"):
            operator = self._advance().text
            right = self._binary(level + 1)
            left = self._made(Binary(operator=operator, left=left, right=right, start=left.start, end=right.end))
        return left

    def _unary(self) -> Node:
        signs: list[Token] = []
        while self._peek.text in ("!", "-") and (not signs or signs[0].text == self._peek.text):
            signs.append(self._advance())
        if signs and signs[-1].text == "-" and self._peek.kind in ("int", "float"):
            node = self._members(self._number(signs.pop()))
        else:
            node = self._members(self._primary())
        for sign in reversed(signs):
            node = self._made(Unary(operator=sign.text, operand=node, start=sign.start, end=node.end))
        return node

    def _members(self, node: Node) -> Node:
        while True:
            if self._take("."):
                name = self._identifier("a member name after the dot", as_member=True)
                node = self._method(node, name) if self._peek.text == "(" else self._member(node, name)
            elif self._take("["):
                key = self.expression()
                end = self._expect("]", "an index ends with ]")
                node = self._made(Index(target=node, key=key, start=node.start, end=end.end))
            else:
                return node

    def _member(self, target: Node, name: Token) -> Node:
        return self._made(Member(target=target, name=name.text, start=target.start, end=name.end))

    def _method(self, target: Node, name: Token) -> Node:
        if name.text in MACROS:
            return self._macro(target, name)
        arguments, end = self._arguments()
        return self._call(name, (target, *arguments), Style.METHOD, target.start, end)

    def _macro(self, source: Node, name: Token) -> Node:
        self._expect("(", "")
        variable = self._identifier(f"the loop variable of {name.text}()")
        self._expect(",", f"{name.text}() takes a variable and an expression: {name.text}(x, x > 0)")
        body = self.expression()
        end = self._expect(")", f"{name.text}() takes a variable and one expression")
        made = Macro(macro=name.text, source=source, variable=variable.text, body=body, start=source.start, end=end.end)
        return self._made(made)

    def _primary(self) -> Node:
        token = self._peek
        if token.kind in ("int", "float"):
            return self._number(None)
        if token.kind in ("string", "raw"):
            self._advance()
            return self._made(Literal(value=token.value, start=token.start, end=token.end))
        if token.kind == "name" and token.text in _CONSTANTS:
            self._advance()
            return self._made(Literal(value=_CONSTANTS[token.text], start=token.start, end=token.end))
        if token.kind == "name":
            return self._named(self._identifier("a value"))
        if token.text == "(":
            return self._parenthesised()
        if token.text == "[":
            return self._list()
        if token.text == "{":
            return self._map()
        raise self._unexpected("a value")

    def _number(self, minus: Token | None) -> Node:
        token = self._advance()
        assert not isinstance(token.value, str)
        value = -token.value if minus else token.value
        if token.kind == "int" and not -_INT_LIMIT <= value < _INT_LIMIT:
            raise refusal(self._text, token.start, f"{token.text} does not fit 64 bits", hint="write it as a double")
        return self._made(Literal(value=value, start=(minus or token).start, end=token.end))

    def _named(self, name: Token) -> Node:
        if self._peek.text != "(":
            return self._made(Name(name=name.text, start=name.start, end=name.end))
        if name.text == "has":
            return self._has(name)
        arguments, end = self._arguments()
        return self._call(name, arguments, Style.FUNCTION, name.start, end)

    def _has(self, name: Token) -> Node:
        (argument, *more), end = self._arguments(at_least_one=name)
        if more or not isinstance(argument, Member):
            raise refusal(
                self._text, argument.start, "has() takes one member, such as has(tests.failed)", hint="name a.b in it"
            )
        return self._made(Has(target=argument.target, name=argument.name, start=name.start, end=end))

    def _call(self, name: Token, arguments: tuple[Node, ...], style: Style, start: int, end: int) -> Node:
        signature = FUNCTIONS.get(name.text)
        if signature is None:
            known = sorted({*FUNCTIONS, *MACROS, "has"})
            near = difflib.get_close_matches(name.text, known, n=1)
            hint = f"did you mean {near[0]}()?" if near else f"there are {', '.join(known)}"
            raise refusal(self._text, name.start, f"there is no function {name.text}()", hint=hint)
        if style not in signature.styles:
            raise refusal(self._text, name.start, f"{name.text}() is not called like this", hint=signature.usage)
        if len(arguments) != signature.arity:
            raise refusal(self._text, name.start, f"wrong number of arguments for {name.text}()", hint=signature.usage)
        return self._made(Call(function=name.text, arguments=arguments, start=start, end=end))

    def _arguments(self, *, at_least_one: Token | None = None) -> tuple[tuple[Node, ...], int]:
        self._expect("(", "")
        found: list[Node] = []
        while self._peek.text != ")":
            found.append(self.expression())
            if not self._take(","):
                break
        end = self._expect(")", "arguments end with )")
        if at_least_one and not found:
            raise refusal(self._text, at_least_one.start, f"{at_least_one.text}() needs an argument")
        return tuple(found), end.end

    def _parenthesised(self) -> Node:
        start = self._advance().start
        inside = self.expression()
        end = self._expect(")", "a parenthesis is not closed")
        return msgspec.structs.replace(inside, start=start, end=end.end)

    def _list(self) -> Node:
        start = self._advance().start
        items: list[Node] = []
        while self._peek.text != "]":
            items.append(self.expression())
            if not self._take(","):
                break
        end = self._expect("]", "a list ends with ]")
        return self._made(ListOf(items=tuple(items), start=start, end=end.end))

    def _map(self) -> Node:
        start = self._advance().start
        keys: list[Node] = []
        values: list[Node] = []
        while self._peek.text != "}":
            keys.append(self.expression())
            self._expect(":", "a map entry is key: value")
            values.append(self.expression())
            if not self._take(","):
                break
        end = self._expect("}", "a map ends with }")
        return self._made(MapOf(keys=tuple(keys), values=tuple(values), start=start, end=end.end))

    def _identifier(self, expected: str, *, as_member: bool = False) -> Token:
        token = self._peek
        if token.kind != "name" or token.text in _CONSTANTS or token.text == "in":
            raise self._unexpected(expected)
        if token.text in _RESERVED and not as_member:
            raise refusal(self._text, token.start, f"{token.text} is a reserved word", hint="use it only after a dot")
        return self._advance()

    @property
    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _advance(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _take(self, text: str) -> bool:
        if self._peek.kind == "operator" and self._peek.text == text:
            self._next += 1
            return True
        return False

    def _expect(self, text: str, why: str) -> Token:
        if self._peek.kind == "operator" and self._peek.text == text:
            return self._advance()
        raise self._unexpected(f"{text!r}", hint=why or None)

    def _unexpected(self, expected: str, *, hint: str | None = None) -> Invalid:
        found = "the end" if self._peek.kind == "end" else repr(self._peek.text)
        return refusal(self._text, self._peek.start, f"expected {expected}, found {found}", hint=hint)

    def _made(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise refusal(self._text, node.start, f"more than {MAX_NODES} parts", hint="split the guard")
        return node
