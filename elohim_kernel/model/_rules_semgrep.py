"""What the rules of semgrep's public registry mean that people run, by the last part of their id."""

from typing import Final

from elohim_kernel.model._rules_row import UNSURE, Row

REGISTRY: Final = (
    Row(
        "tainted-sql-string sqlalchemy-execute-raw-query avoid-sqlalchemy-text formatted-sql-query "
        "sql-injection-using-raw sql-injection-using-rawsql sql-injection-using-db-cursor-execute "
        "sql-injection-using-extra-where sql-injection-db-cursor-execute avoid-query-set-extra avoid-raw-sql "
        "custom-expression-as-sql extends-custom-expression psycopg-sqli pg8000-sqli pymssql-sqli aiopg-sqli "
        "asyncpg-sqli mysql-sqli pymysql-sqli raw-query node-mysql-sqli node-postgres-sqli node-mssql-sqli "
        "express-sequelize-injection sequelize-injection-express knex-sqli node-knex-sqli "
        "tainted-sql-from-http-request",
        "sql-injection",
    ),
    Row(
        "dangerous-subprocess-use dangerous-subprocess-use-audit dangerous-subprocess-use-tainted-env-args "
        "dangerous-os-exec dangerous-os-exec-audit dangerous-system-call dangerous-system-call-audit "
        "dangerous-spawn-process dangerous-spawn-process-audit subprocess-shell-true command-injection-os-system "
        "subprocess-injection os-system-injection detect-child-process spawn-shell-true dangerous-spawn-shell "
        "dangerous-asyncio-shell dangerous-asyncio-exec dangerous-asyncio-create-exec paramiko-exec-command "
        "run-shell-injection github-script-injection child-process-exec-non-literal",
        "command-injection",
    ),
    Row(
        "eval-detected exec-detected eval-injection exec-injection user-eval user-exec user-exec-format-string "
        "user-eval-format-string code-string-concat browser-eval-detected express-vm-injection "
        "express-vm2-injection dangerous-globals-use globals-misuse-code-execution non-literal-import "
        "express-sandbox-code-injection",
        "code-injection",
    ),
    Row(
        "prototype-pollution-loop prototype-pollution-assignment prototype-pollution-function",
        "code-injection",
        None,
        None,
        1321,
    ),
    Row(
        "dangerous-template-string render-template-string flask-ssti dangerous-template-injection",
        "template-injection",
    ),
    Row(
        "path-traversal-open path-traversal-file-name path-traversal-join path-traversal-inside-zip-extraction "
        "express-path-join-resolve-traversal path-join-resolve-traversal express-res-sendfile "
        "detect-non-literal-fs-filename express-libxml-noent-path tarfile-extractall-traversal",
        "path-traversal",
    ),
    Row("avoid_app_run_with_bad_host", "exposure", None, None, 605),
    Row(
        "raw-html-format directly-returned-format-string raw-html-concat html-magic-method html-safe "
        "direct-use-of-jinja2 incorrect-autoescape-disabled missing-autoescape-disabled "
        "unescaped-template-extension template-autoescape-off template-unescaped-with-safe "
        "explicit-unescape-with-markup var-in-script-tag avoid-mark-safe direct-use-of-httpresponse "
        "reflected-data-httpresponse reflected-data-httpresponsebadrequest direct-response-write "
        "insecure-document-method insecure-innerhtml react-dangerouslysetinnerhtml react-unsanitized-method "
        "react-unsanitized-property raw-html-join host-header-injection-python xss-html-email-body",
        "xss",
    ),
    Row("open-redirect express-open-redirect open-redirect-pathname open_redirect", "open-redirect"),
    Row(
        "ssrf-injection-requests ssrf-injection-urllib ssrf-requests tainted-url-host express-ssrf ssrf-injection "
        "puppeteer-goto-injection node-ssrf dynamic-urllib-use-detected",
        "ssrf",
    ),
    Row(
        "avoid-pickle avoid-cPickle avoid-dill avoid-shelve avoid-marshal avoid-pyyaml-load avoid-unsafe-ruamel "
        "insecure-deserialization pickles-in-pytorch avoid-insecure-deserialization "
        "third-party-object-deserialization express-third-party-object-deserialization marshal-usage "
        "multiprocessing-recv",
        "deserialization",
    ),
    Row("use-defused-xml use-defused-xml-parse use-defused-xmlrpc express-libxml-noent lxml-insecure-parser", "xxe"),
    Row(
        "insecure-hash-algorithm-md5 insecure-hash-algorithm-sha1 insecure-hash-function md5-used-as-password "
        "sha224-hash insecure-hash-algorithms insecure-hash-algorithms-md5 unsalted-password md5-loose-equality",
        "weak-hash",
    ),
    Row(
        "insecure-cipher-algorithm-des insecure-cipher-algorithm-rc2 insecure-cipher-algorithm-rc4 "
        "insecure-cipher-algorithm-blowfish insecure-cipher-algorithm-xor insecure-cipher-algorithms "
        "insecure-cipher-mode-ecb crypto-mode-without-authentication insufficient-rsa-key-size "
        "insufficient-dsa-key-size insufficient-ec-key-size empty-aes-key create-de-cipher-no-iv",
        "weak-cipher",
    ),
    Row("insecure-random-use insecure-uuid-version math-random-used weak-random", "weak-random"),
    Row(
        "secure-set-cookie django-secure-set-cookie set-cookie-without-secure express-cookie-session-no-secure "
        "express-cookie-session-no-httponly express-cookie-session-default-name cookie-missing-httponly",
        "insecure-cookie",
    ),
    Row(
        "disabled-cert-validation unverified-ssl-context no-auth-over-http request-with-http weak-ssl-version "
        "ssl-wrap-socket-is-deprecated bypass-tls-verification use-ftp-tls insecure-requests-session-http "
        "ssl-mode-no-verify disabled-cert-validation-https paramiko-implicit-trust-host-key",
        "tls",
    ),
    Row(
        "hardcoded-token hardcoded-jwt-secret jwt-python-hardcoded-secret avoid_hardcoded_config_SECRET_KEY "
        "hardcoded-password-default-argument express-session-hardcoded-secret python-logger-credential-disclosure",
        "secret",
    ),
    Row("debug-enabled avoid_using_app_run_directly django-debug-true debug-template-tag", "exposure"),
    Row(
        "no-csrf-exempt csrf-exempt django-no-csrf-token express-check-csurf-middleware-usage",
        "access-control",
        None,
        None,
        352,
    ),
    Row(
        "unverified-jwt-decode jwt-python-none-alg jwt-none-alg jwt-python-exposed-data",
        "access-control",
        None,
        None,
        347,
    ),
    Row("wildcard-cors wildcard-postmessage-configuration cors-regex-wildcard", "access-control", None, None, 942),
    Row("tempfile-without-flush hardcoded-tmp-path hardcoded-temp-file insecure-file-permissions", "permissions"),
    Row("regex_dos detect-non-literal-regexp detect-redos", "denial-of-service", None, UNSURE, 1333),
    Row(
        "missing-user missing-user-entrypoint last-user-is-root privileged-service exposing-docker-socket-volume "
        "no-new-privileges writable-filesystem-service",
        "permissions",
        None,
        None,
        250,
    ),
    Row("third-party-action-not-pinned-to-commit-sha unsafe-add-mask-workflow-command", "dependency", None, None, 829),
    Row("open-never-closed use-timeout use-raise-for-status hardcoded-http-auth-in-logs", "reliability"),
)
