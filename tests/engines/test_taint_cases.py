"""Bodies of request handlers, with what must be said of them; the cases are in tests/data/taint."""

from pathlib import Path

import pytest
import yaml

from elohim_kernel.engines._taint_analysis import analyse
from elohim_kernel.engines._taint_report import refuted, told

CASES = Path(__file__).parents[1] / "data" / "taint"
HANDLER = """
import ast, base64, codecs, configparser, flask, hashlib, hmac, html, importlib, io, json, logging, os, pathlib
import platform
import Crypto.Cipher.AES, Crypto.Cipher.DES, bleach, defusedxml.ElementTree
import cryptography.hazmat.primitives.ciphers.modes
import dill, elementpath, helpers, httpx, jinja2, jsonpickle, ldap, ldap3, lxml.etree, marshal, pickle, random, re
import requests
import secrets, shlex, shutil, sqlalchemy, sqlite3, string, subprocess, urllib.parse, urllib.request, uuid, yaml
import zipfile
import xml.dom.minidom, xml.dom.pulldom, xml.etree.ElementTree as ET, xml.sax, xml.sax.handler
from xml.sax.handler import feature_external_ges
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from fastapi.responses import RedirectResponse
from flask import Response, abort, jsonify, make_response, redirect, render_template, render_template_string, request
from flask import Markup, send_file, send_from_directory, session, url_for
from helpers import ALLOWED, BASE, DEBUG, HOSTS, SETTING, SomeLibrary, User, db, is_safe_url, options, risky
from ldap3.utils.conv import escape_filter_chars
from markupsafe import escape
from werkzeug.utils import safe_join, secure_filename

app = flask.Flask(__name__)
config = helpers.load()


@app.route("/x/<name>")
def handler(name):
    value = request.args.get("value", "")
    cursor = sqlite3.connect("x").cursor()
"""


def cases() -> list[object]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        for title, bodies in yaml.safe_load(path.read_text()).items():
            verdict, category = title.split()
            for number, body in enumerate(bodies):
                found.append(pytest.param(verdict, category, body, id=f"{path.stem}-{verdict}-{category}-{number}"))
    return found


def source(body: str) -> bytes:
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return (HANDLER + indented + "    return 'done'\n").encode()


@pytest.mark.parametrize(("verdict", "category", "body"), cases())
def test_a_handler_is_judged_as_its_case_says(verdict: str, category: str, body: str):
    analysis = analyse(source(body))

    found = {each["category"] for each in told(analysis.outcomes)}
    lines = range(HANDLER.count("\n") + 1, source(body).count(b"\n"))
    cleared = {each["category"] for each in refuted(analysis.outcomes) if each["line"] in lines}
    assert analysis.problem == ""
    assert (category in found) is (verdict == "bad")
    assert category in cleared or verdict != "refuted"
    assert category not in cleared or verdict != "unsure"
