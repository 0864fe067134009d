"""What the rules of tools mean whose reports are imported: CodeQL, SonarQube, gosec, Brakeman, cloud scanners.

CodeQL's ids are kept without their language where a name means the same in all of them. Severity and confidence are
left to the report, which carries them.
"""

from typing import Final

from elohim_kernel.model._rules_row import INFO, UNSURE, Row

CODEQL: Final = (
    Row(
        "sql-injection sql-injection-local second-order-sql-injection concatenated-sql-query nosql-injection",
        "sql-injection",
    ),
    Row(
        "command-line-injection shell-command-constructed-from-input command-injection "
        "shell-command-injection-from-environment indirect-command-line-injection "
        "second-order-command-line-injection unnecessary-use-of-cat concatenated-command-line "
        "exec-tainted-environment actions/code-injection/critical actions/code-injection/medium "
        "expression-injection",
        "command-injection",
    ),
    Row(
        "code-injection unsafe-code-construction unsafe-dynamic-method-access use-of-input eval-like-call "
        "improper-code-sanitization unsafe-jquery-plugin-code remote-property-injection",
        "code-injection",
    ),
    Row(
        "prototype-pollution prototype-pollution-utility prototype-polluting-assignment prototype-polluting-merge-call",
        "code-injection",
        None,
        None,
        1321,
    ),
    Row("template-injection template-object-injection server-side-template-injection", "template-injection"),
    Row("path-injection path-injection-local zipslip tarslip unsafe-unpacking zip-slip", "path-traversal"),
    Row(
        "reflected-xss stored-xss reflective-xss xss xss-through-dom xss-through-exception "
        "html-constructed-from-input unsafe-jquery-plugin bad-tag-filter incomplete-sanitization "
        "incomplete-html-attribute-sanitization incomplete-multi-character-sanitization "
        "incomplete-url-scheme-check double-escaping jinja2/autoescape-false client-side-unvalidated-url "
        "autoescape-false flask-constructed-response",
        "xss",
    ),
    Row("xpath-injection xquery-injection", "xpath-injection"),
    Row("ldap-injection", "ldap-injection"),
    Row("log-injection http-response-splitting header-injection tainted-format-string", "log-injection"),
    Row(
        "url-redirection server-side-unvalidated-url-redirection client-side-unvalidated-url-redirection "
        "incomplete-hostname-regexp incomplete-url-substring-sanitization overly-large-range "
        "unvalidated-url-redirection",
        "open-redirect",
    ),
    Row("full-ssrf partial-ssrf request-forgery client-side-request-forgery ssrf", "ssrf"),
    Row("unsafe-deserialization insecure-deserialization", "deserialization"),
    Row("xxe xxe-local", "xxe"),
    Row("xml-bomb", "xxe", None, None, 776),
    Row("weak-sensitive-data-hashing weak-password-hashing insufficient-password-hash", "weak-hash"),
    Row(
        "weak-cryptographic-algorithm weak-crypto-key insufficient-key-size biased-cryptographic-random",
        "weak-cipher",
    ),
    Row("insecure-randomness insecure-random-source predictable-seed", "weak-random"),
    Row(
        "insecure-cookie clear-text-cookie client-exposed-cookie cookie-injection samesite-none-cookie",
        "insecure-cookie",
    ),
    Row("sensitive-cookie-not-httponly", "insecure-cookie", None, None, 1004),
    Row(
        "insecure-protocol insecure-default-protocol request-without-cert-validation "
        "disabling-certificate-validation disabled-certificate-check non-https-url insecure-download",
        "tls",
    ),
    Row("paramiko-missing-host-key-validation missing-host-key-validation", "tls", None, None, 322),
    Row("insecure-dependency", "dependency"),
    Row("hardcoded-credentials hard-coded-credentials hardcoded-credential-api-call", "secret"),
    Row(
        "clear-text-logging clear-text-logging-sensitive-data clear-text-storage-sensitive-data",
        "secret",
        None,
        None,
        532,
    ),
    Row("build-artifact-leak clear-text-storage sensitive-get-query", "secret", None, None, 312),
    Row(
        "insecure-temporary-file overly-permissive-file world-writable-file-permissions "
        "actions/missing-workflow-permissions missing-workflow-permissions",
        "permissions",
    ),
    Row(
        "flask-debug stack-trace-exposure bind-socket-all-network-interfaces file-access-to-http "
        "insecure-helmet-configuration disabling-electron-websecurity allowing-insecure-content",
        "exposure",
    ),
    Row("private-file-exposure exposure-of-private-files cross-window-information-leak", "exposure", None, None, 200),
    Row("csrf-protection-disabled missing-token-validation missing-origin-check", "access-control", None, None, 352),
    Row(
        "cors-misconfiguration cors-misconfiguration-for-credentials cors-permissive-configuration",
        "access-control",
        None,
        None,
        942,
    ),
    Row(
        "jwt-missing-verification missing-jwt-signature-check jwt-missing-verification-local",
        "access-control",
        None,
        None,
        347,
    ),
    Row("user-controlled-bypass different-kinds-comparison-bypass improper-ldap-auth", "access-control"),
    Row(
        "polynomial-redos redos regex-injection resource-exhaustion missing-rate-limiting loop-bound-injection "
        "resource-exhaustion-from-deep-object-traversal regexp-injection",
        "denial-of-service",
    ),
    Row("missing-regexp-anchor useless-regexp-character-escape type-confusion-through-parameter-tampering", "security"),
    Row("actions/unpinned-tag unpinned-tag untrusted-checkout", "dependency", None, None, 829),
    Row("unused-import unused-local-variable unused-global-variable", "maintainability"),
    Row("unused-loop-variable commented-out-code repeated-import import-and-import-from", "style", INFO),
    Row("catch-base-exception empty-except unreachable-statement ineffectual-statement", "reliability"),
)

SONARQUBE: Final = (
    Row("S3649 S2077 S5147", "sql-injection"),
    Row("S2076 S4721 S6350 S5883 S4036", "command-injection"),
    Row("S5334 S1523 S6446", "code-injection"),
    Row("S5496", "template-injection"),
    Row("S2083 S6096 S5042 S6549", "path-traversal"),
    Row("S5131 S5247 S5439 S5696 S6299 S6268 S5148", "xss"),
    Row("S2091", "xpath-injection"),
    Row("S2078", "ldap-injection"),
    Row("S5145 S5167 S6317", "log-injection"),
    Row("S5146 S6105", "open-redirect"),
    Row("S5144 S6547", "ssrf"),
    Row("S5135 S6893", "deserialization"),
    Row("S2755", "xxe"),
    Row("S4790 S2070 S2053 S5344", "weak-hash"),
    Row("S5542 S5547 S4426 S2278 S3329 S6432", "weak-cipher"),
    Row("S2245 S4347", "weak-random"),
    Row("S2092", "insecure-cookie"),
    Row("S3330", "insecure-cookie", None, None, 1004),
    Row("S4830 S5527 S4423 S5332", "tls"),
    Row("S2068 S6418 S6290 S6334 S6335 S6336 S6437 S6690 S6691 S6702", "secret"),
    Row("S5443 S2612 S5445", "permissions"),
    Row("S4507 S5801 S6779", "exposure"),
    Row("S5122", "access-control", None, None, 942),
    Row("S4502 S3752", "access-control", None, None, 352),
    Row("S5659", "access-control", None, None, 347),
    Row("S4433 S5808", "access-control"),
    Row("S5852 S2631 S6776", "denial-of-service"),
    Row("S1313", "note", INFO, UNSURE),
    Row("S3776 S1541", "complexity"),
)

GOSEC: Final = (
    Row("G101", "secret"),
    Row("G102 G108", "exposure"),
    Row("G103 G104 G115 G109 G601 G602", "reliability"),
    Row("G106", "tls", None, None, 322),
    Row("G107", "ssrf"),
    Row("G110 G112 G114", "denial-of-service"),
    Row("G111 G304 G305", "path-traversal"),
    Row("G201 G202", "sql-injection"),
    Row("G203", "xss"),
    Row("G204", "command-injection"),
    Row("G301 G302 G303 G306 G307", "permissions"),
    Row("G401 G406 G501 G505 G506 G507", "weak-hash"),
    Row("G402 G123", "tls"),
    Row("G403 G405 G407 G502 G503", "weak-cipher"),
    Row("G404", "weak-random"),
    Row("G504", "import"),
    Row("G113", "dependency"),
)

BRAKEMAN: Final = (
    Row("SQL Injection|SQL Injection (Local)|NoSQL Injection", "sql-injection"),
    Row("Command Injection", "command-injection"),
    Row("Dangerous Eval|Dangerous Send|Remote Code Execution|Unsafe Reflection", "code-injection"),
    Row("Template Injection|Dynamic Render Path|File Access|Path Traversal", "path-traversal"),
    Row("Cross-Site Scripting|Cross Site Scripting|Cross-Site Scripting (JSON)", "xss"),
    Row("Redirect|Open Redirect", "open-redirect"),
    Row("Remote Code Execution in YAML.load|Unsafe Deserialization", "deserialization"),
    Row("SSL Verification Bypass", "tls"),
    Row("Weak Hash|Weak Cryptography", "weak-hash"),
    Row("Cross-Site Request Forgery|Cross Site Request Forgery", "access-control", None, None, 352),
    Row("Mass Assignment|Attribute Restriction|Unscoped Find", "access-control", None, None, 915),
    Row("Authentication|Basic Auth|Default Routes|Dangerous Routes|Missing Encryption", "access-control"),
    Row("Session Setting|Session Manipulation|Cookie Serialization", "insecure-cookie"),
    Row("Denial of Service|Format Validation|Reverse Tabnabbing", "denial-of-service"),
    Row("Information Disclosure|Mail Link", "exposure", None, None, 200),
    Row("Unmaintained Dependency", "dependency"),
)

INFRASTRUCTURE: Final = (
    Row("*", "security"),
    Row("CKV_SECRET_", "secret"),
    Row("CKV_DOCKER_ CKV_K8S_ CKV_AWS_ CKV_AZURE_ CKV_GCP_ CKV2_", "exposure", None, None, 1327),
    Row("CKV_GHA_", "permissions"),
    Row("AVD- aws- azure- google- AWS0 AZU0 GCP0 DS- KSV", "exposure", None, None, 1327),
)
"""Checkov, tfsec, Trivy's configuration checks: which service is open how is theirs to say."""
