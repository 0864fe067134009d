"""XML parsers that fetch what a document names: which ones do, and what they are given."""

from typing import Final

from elohim_kernel.engines._taint_machine import Machine
from elohim_kernel.engines._taint_program import Call
from elohim_kernel.engines._taint_values import UNKNOWN, Value, words

EXTERNAL: Final = "+external"
_DEFAULT: Final = "+default"
_SAFE: Final = "+safe"
_SAX: Final = "xml.sax.make_parser()"
_FEATURES: Final = (
    "external-general-entities",
    "external-parameter-entities",
    "feature_external_ges",
    "feature_external_pes",
)

_LXML: Final = frozenset(f"lxml.{part}" for part in ("etree.parse", "etree.fromstring", "etree.XML", "etree.iterparse"))
_WITH_PARSER: Final = words(
    "xml.dom.pulldom.parse xml.dom.pulldom.parseString xml.dom.minidom.parse xml.dom.minidom.parseString"
)
_SAFE_BY_DEFAULT: Final = words(
    "xml.sax.parse xml.sax.parseString xml.etree.ElementTree.parse xml.etree.ElementTree.fromstring"
    " xml.etree.ElementTree.XML xml.etree.ElementTree.iterparse xml.etree.ElementTree.fromstringlist"
    " xml.etree.cElementTree.parse xml.etree.cElementTree.fromstring xml.dom.expatbuilder.parse"
    " xml.dom.expatbuilder.parseString"
)
_WHY_SAFE: Final = "this parser does not fetch external entities"


def made(name: str, call: Call) -> Value | None:
    """The parser a call makes, its name saying what it does; None when it makes none."""
    if name not in ("lxml.etree.XMLParser", "lxml.etree.XMLPullParser"):
        return None
    resolve = call.named.get("resolve_entities")
    if resolve is None:
        network = call.named.get("no_network")
        opened = network is not None and network.constants == (False,)
        return Value(name=f"{name}(){EXTERNAL if opened else _DEFAULT}")
    if resolve.constants is None or resolve.is_open:
        return UNKNOWN
    if any(each is True or each == 1 for each in resolve.constants):
        return Value(name=f"{name}(){EXTERNAL}")
    return Value(name=f"{name}(){_SAFE}")


def look(machine: Machine, call: Call) -> None:
    """Look at a call of an XML library."""
    name = call.name
    if name in _SAFE_BY_DEFAULT or name.startswith("defusedxml."):
        machine.see_flaw("xxe", call.node, f"{name}(): {_WHY_SAFE}", "")
    elif name in _WITH_PARSER:
        parser = call.argument(1, "parser")
        if parser is None:
            machine.see_flaw("xxe", call.node, f"{name}(): {_WHY_SAFE}", "")
        else:
            _given(machine, call, parser)
    elif name in _LXML:
        _given(machine, call, call.argument(1, "parser") or Value(name=_DEFAULT))
    elif call.receiver is not None and call.receiver.name.startswith(_SAX):
        if call.method == "setFeature":
            _set_feature(call)
        elif call.method in ("parse", "feed"):
            _given(machine, call, call.receiver)


def _given(machine: Machine, call: Call, parser: Value) -> None:
    """What a parser reads, when it fetches external entities."""
    document = call.argument(0, "source", "text", "stream", "stream_or_string", "file", "string")
    if document is None:
        return
    inner = call.state.deep(document)
    label = f"{call.name or call.method}()"
    if parser.name.endswith(EXTERNAL):
        machine.see("xxe", call.node, inner, label)
    elif parser.name.endswith(_DEFAULT):
        # Before release 5, lxml resolved entities unless told not to.
        machine.see("xxe", call.node, inner, label, severity="low", sure=False)
    elif parser.name.endswith(_SAFE) or parser.name == _SAX or parser.constants == (None,):
        machine.see_flaw("xxe", call.node, f"{label}: {_WHY_SAFE}", "")
    else:
        machine.see_unsure("xxe", call.node, label)


def _set_feature(call: Call) -> None:
    feature, value = call.argument(0, "name"), call.argument(1, "state")
    holder = getattr(getattr(call.node.func, "value", None), "id", "")
    if feature is None or value is None or not holder or call.receiver is None:
        return
    named = " ".join(str(each) for each in feature.constants or ()) + feature.name
    if not any(each in named for each in _FEATURES):
        return
    if value.constants is None:
        call.state.names[holder] = UNKNOWN
    elif any(value.constants):
        call.state.names[holder] = call.receiver.with_(name=_SAX + EXTERNAL)
    elif "pes" not in named and "parameter" not in named:
        call.state.names[holder] = call.receiver.with_(name=_SAX)
