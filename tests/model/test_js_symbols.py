"""Where a line of JavaScript is: by its braces, whatever stands in strings, comments and regular expressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elohim_kernel.model.js_symbols import JsSymbols

SOURCE = rb"""import x from 'y' // {
const quoted = /[{'"]/g
export default class Shop extends Base {
  static async sell(thing, {a, b}) {
    if (thing) { run(`x ${a} }`) }
    return items.map((one) => {
      return eval(one)
    })
  }
  handler = async (e) => {
    e()
  }
}
function* numbers(a = {}) {
  for (const k of a * 2) { k() }
}
module.exports = {
  load: function (p) {
    return p
  },
  store(p) {
    return "}" + p /* } */
  },
}
app.get('/x', function (req, res) {
  res.send(req)
})
function typed(a: string): Promise<void> {
  a()
}
top()
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("const quoted", ""),
        ("if (thing)", "Shop.sell"),
        ("return eval(one)", "Shop.sell"),
        ("    e()", "Shop.handler"),
        ("for (const k", "numbers"),
        ("    return p\n", "load"),
        ('return "}"', "store"),
        ("res.send", ""),
        ("  a()", "typed"),
        ("top()", ""),
    ],
)
def test_the_symbol_is_the_innermost_named_function_or_class(text: str, name: str):
    line = SOURCE.decode().partition(text)[0].count("\n") + 1

    assert JsSymbols(SOURCE).at(line) == name


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_line_ends_and_indents_change_no_name(end: bytes):
    other = JsSymbols(SOURCE.replace(b"\n", end).replace(b"  ", b"\t"))
    same = JsSymbols(SOURCE)

    lines = range(1, SOURCE.count(b"\n") + 1)
    assert [other.at(line) for line in lines] == [same.at(line) for line in lines]


@given(st.binary(max_size=300) | st.text(alphabet="{}()/'\"`\\*[]=>; \nab:", max_size=300).map(str.encode))
def test_whatever_stands_there_is_read_without_an_error(content: bytes):
    symbols = JsSymbols(content)

    assert isinstance(symbols.at(content.count(b"\n") + 1), str)


@pytest.mark.parametrize("piece", [b"'\\", b"(/[", b"`\\", b"/*", b'"', b"=/a", b"{"])
def test_what_never_closes_is_read_to_its_end(piece: bytes):
    """A reader that looks for each end anew would not come back from these."""
    content = piece * 100_000 + b"\nfunction f() {\n  x\n}\n"

    assert isinstance(JsSymbols(content).at(3), str)
