"""Our configuration of ESLint, as data: rules of its core that mean a defect or a danger, and never style.

Written for ESLint 9 and later. `no-undef` and `no-unused-vars` are left out: what is defined elsewhere, and what a page
calls, cannot be seen from one file.
"""

from typing import Final

_DANGERS: Final = ("no-eval", "no-implied-eval", "no-new-func", "no-script-url")
_DEFECTS: Final = (
    "array-callback-return",
    "constructor-super",
    "for-direction",
    "getter-return",
    "no-async-promise-executor",
    "no-class-assign",
    "no-compare-neg-zero",
    "no-const-assign",
    "no-constant-binary-expression",
    "no-debugger",
    "no-dupe-args",
    "no-dupe-class-members",
    "no-dupe-else-if",
    "no-dupe-keys",
    "no-duplicate-case",
    "no-ex-assign",
    "no-func-assign",
    "no-global-assign",
    "no-import-assign",
    "no-invalid-regexp",
    "no-loss-of-precision",
    "no-misleading-character-class",
    "no-new-native-nonconstructor",
    "no-obj-calls",
    "no-self-assign",
    "no-self-compare",
    "no-setter-return",
    "no-shadow-restricted-names",
    "no-sparse-arrays",
    "no-template-curly-in-string",
    "no-this-before-super",
    "no-unexpected-multiline",
    "no-unreachable",
    "no-unsafe-finally",
    "no-unsafe-negation",
    "no-unsafe-optional-chaining",
    "require-yield",
    "use-isnan",
    "valid-typeof",
)

RULES: Final = (*_DANGERS, *_DEFECTS)
"""What is asked for."""

_GLOBALS: Final = ("window", "global", "globalThis", "self", "setTimeout", "setInterval", "execScript")
_EVERYWHERE: Final = {
    "linterOptions": {"noInlineConfig": True, "reportUnusedDisableDirectives": "off"},
    "rules": dict.fromkeys(RULES, "error"),
}


def _for(pattern: str, source_type: str) -> dict[str, object]:
    return {
        "files": [pattern],
        "languageOptions": {
            "ecmaVersion": "latest",
            "sourceType": source_type,
            "globals": dict.fromkeys(_GLOBALS, "readonly"),
            "parserOptions": {"ecmaFeatures": {"jsx": True}},
        },
        **_EVERYWHERE,
    }


# A pattern that only takes back what ESLint ignores by itself.
_NOTHING_IGNORED: Final = {"ignores": ["!**/node_modules/", "!.git/"]}

CONFIGURATION: Final = (_NOTHING_IGNORED, _for("**/*.{js,mjs,jsx}", "module"), _for("**/*.cjs", "commonjs"))
"""How files are read first."""

SCRIPTS: Final = (_NOTHING_IGNORED, _for("**/*.{js,mjs,jsx,cjs}", "commonjs"))
"""How files are read that are no modules: sloppy mode, and a `return` outside of functions."""

FORMATTER: Final = """\
const kept = ({ ruleId, fatal, message, line, column, endLine }) => (
  { ruleId, fatal: Boolean(fatal), message, line: line ?? 0, column: column ?? 0, endLine: endLine ?? 0 });
export default (files) => JSON.stringify(
  files.map(({ filePath, messages }) => ({ filePath, messages: messages.map(kept) })));
"""
