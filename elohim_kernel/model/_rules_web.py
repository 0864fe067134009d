"""What the rules of JavaScript tools mean: eslint with its security plugins, and njsscan."""

from typing import Final

from elohim_kernel.model._rules_row import HIGH, INFO, LIKELY, LOW, MEDIUM, SURE, UNSURE, Row

ESLINT: Final = (
    Row(
        "no-eval no-implied-eval no-new-func @typescript-eslint/no-implied-eval "
        "security/detect-eval-with-expression no-eval/no-eval",
        "code-injection",
        MEDIUM,
        LIKELY,
    ),
    Row(
        "no-script-url react/jsx-no-script-url @microsoft/sdl/no-inner-html @microsoft/sdl/no-document-write "
        "security/detect-disable-mustache-escape",
        "xss",
        MEDIUM,
        LIKELY,
    ),
    Row("no-unsanitized/property no-unsanitized/method", "xss", HIGH, LIKELY),
    Row("react/no-danger vue/no-v-html svelte/no-at-html-tags xss/no-mixed-html", "xss", MEDIUM, UNSURE),
    Row("@microsoft/sdl/no-html-method @microsoft/sdl/no-unsafe-alloc", "xss", LOW, UNSURE),
    Row("@microsoft/sdl/no-postmessage-star-origin", "exposure", MEDIUM, LIKELY, 346),
    Row("@microsoft/sdl/no-insecure-url @microsoft/sdl/no-insecure-random", "tls", LOW, UNSURE, 319),
    Row("react/jsx-no-target-blank", "access-control", LOW, LIKELY, 1022, 'Add rel="noopener noreferrer".'),
    Row(
        "react/no-danger-with-children no-unreachable no-unsafe-finally no-unsafe-negation no-self-assign "
        "no-self-compare no-invalid-regexp no-obj-calls no-new-native-nonconstructor no-setter-return "
        "getter-return valid-typeof use-isnan no-compare-neg-zero no-loss-of-precision "
        "no-unsafe-optional-chaining",
        "correctness",
        MEDIUM,
        SURE,
    ),
    Row("security/detect-child-process sonarjs/os-command", "command-injection", MEDIUM, UNSURE),
    Row("security/detect-non-literal-fs-filename", "path-traversal", LOW, UNSURE),
    Row("security/detect-non-literal-require", "code-injection", LOW, UNSURE),
    Row("security/detect-non-literal-regexp", "denial-of-service", LOW, UNSURE, 1333),
    Row("security/detect-unsafe-regex sonarjs/slow-regex", "denial-of-service", MEDIUM, UNSURE, 1333),
    Row("security/detect-object-injection", "code-injection", LOW, UNSURE, 1321),
    Row("security/detect-possible-timing-attacks", "security", LOW, UNSURE, 208),
    Row("security/detect-pseudoRandomBytes sonarjs/pseudo-random", "weak-random", LOW, LIKELY),
    Row("security/detect-no-csrf-before-method-override", "access-control", MEDIUM, LIKELY, 352),
    Row("security/detect-buffer-noassert security/detect-new-buffer", "reliability", LOW, LIKELY),
    Row("security/detect-bidi-characters", "security", HIGH, SURE, 1007),
    Row("no-secrets/no-secrets sonarjs/no-hardcoded-passwords sonarjs/no-hardcoded-secrets", "secret", MEDIUM, UNSURE),
    Row("sonarjs/sql-queries", "sql-injection", MEDIUM, UNSURE),
    Row("sonarjs/hashing", "weak-hash", MEDIUM, LIKELY),
    Row("sonarjs/no-weak-cipher sonarjs/encryption-secure-mode sonarjs/no-weak-keys", "weak-cipher", MEDIUM, LIKELY),
    Row("sonarjs/unverified-certificate sonarjs/unverified-hostname sonarjs/weak-ssl", "tls", HIGH, LIKELY),
    Row("sonarjs/insecure-cookie sonarjs/cookie-no-httponly", "insecure-cookie", MEDIUM, LIKELY),
    Row("sonarjs/insecure-jwt-token", "access-control", HIGH, LIKELY, 347),
    Row("sonarjs/csrf sonarjs/cors sonarjs/no-mixed-content", "access-control", MEDIUM, UNSURE, 352),
    Row("sonarjs/code-eval", "code-injection", MEDIUM, UNSURE),
    Row("sonarjs/cognitive-complexity complexity max-depth max-lines-per-function", "complexity", LOW, SURE),
    Row(
        "no-undef no-dupe-keys no-dupe-args no-dupe-class-members no-dupe-else-if no-const-assign "
        "constructor-super no-this-before-super no-class-assign no-func-assign no-import-assign",
        "correctness",
        HIGH,
        SURE,
    ),
    Row(
        "no-duplicate-case no-fallthrough no-cond-assign no-constant-condition no-constant-binary-expression "
        "no-sparse-arrays no-shadow-restricted-names no-async-promise-executor no-promise-executor-return "
        "array-callback-return for-direction no-unmodified-loop-condition no-unreachable-loop "
        "no-unexpected-multiline no-template-curly-in-string no-misleading-character-class",
        "correctness",
        MEDIUM,
        LIKELY,
    ),
    Row("require-atomic-updates no-await-in-loop @typescript-eslint/no-floating-promises", "reliability", LOW, UNSURE),
    Row("@typescript-eslint/no-misused-promises @typescript-eslint/await-thenable", "reliability", MEDIUM, LIKELY),
    Row("no-prototype-builtins no-global-assign no-delete-var no-octal no-with", "correctness", LOW, LIKELY),
    Row("no-caller no-extend-native no-proto no-iterator no-debugger no-control-regex", "maintainability", LOW, LIKELY),
    Row("no-unused-vars @typescript-eslint/no-unused-vars no-empty no-unused-labels", "maintainability", LOW, SURE),
    Row(
        "no-useless-escape no-useless-catch no-extra-boolean-cast no-redeclare no-case-declarations no-var "
        "prefer-const eqeqeq curly no-console no-alert semi quotes indent no-mixed-spaces-and-tabs "
        "no-empty-pattern no-empty-character-class no-regex-spaces no-irregular-whitespace no-ex-assign",
        "style",
        INFO,
        LIKELY,
    ),
    Row(
        "@typescript-eslint/no-explicit-any @typescript-eslint/ban-ts-comment @typescript-eslint/no-unsafe-call "
        "@typescript-eslint/no-unsafe-assignment @typescript-eslint/no-unsafe-member-access "
        "@typescript-eslint/no-unsafe-return",
        "types",
        LOW,
        LIKELY,
    ),
    Row("fatal", "syntax", HIGH, SURE),
)

NJSSCAN: Final = (
    Row(
        "eval_nodejs eval_require eval_drpc_deserialize vm_runincontext_injection vm_runinnewcontext_injection "
        "vm_runinthiscontext_injection vm_code_injection vm2_code_injection vm2_context_injection "
        "sandbox_code_injection vm_compilefunction_injection server_side_template_injection",
        "code-injection",
        HIGH,
        LIKELY,
    ),
    Row(
        "node_sqli_injection node_knex_sqli_injection node_nosqli_injection node_nosqli_js_injection",
        "sql-injection",
        HIGH,
        LIKELY,
    ),
    Row("generic_os_command_exec generic_os_command_exec2 shelljs_os_command_exec", "command-injection", HIGH, LIKELY),
    Row("express_xss xss_serialize_javascript xss_disable_mustache_escape", "xss", HIGH, LIKELY),
    Row("handlebars_safestring handlebars_noescape squirrelly_autoescape", "xss", MEDIUM, LIKELY),
    Row("express_open_redirect express_open_redirect2", "open-redirect", MEDIUM, LIKELY),
    Row(
        "generic_path_traversal express_lfr express_lfr_warning join_resolve_path_traversal express_hbs_lfr",
        "path-traversal",
        HIGH,
        LIKELY,
    ),
    Row(
        "tar_path_overwrite zip_path_overwrite zip_path_overwrite2 admzip_path_overwrite",
        "path-traversal",
        MEDIUM,
        LIKELY,
    ),
    Row(
        "node_deserialize serializetojs_deserialize yaml_deserialize grpc_insecure_connection",
        "deserialization",
        HIGH,
        LIKELY,
    ),
    Row(
        "node_ssrf puppeteer_ssrf phantom_ssrf wkhtmltopdf_ssrf wkhtmltoimage_ssrf playwright_ssrf",
        "ssrf",
        MEDIUM,
        LIKELY,
    ),
    Row("node_xpath_injection", "xpath-injection", HIGH, LIKELY),
    Row("node_xxe xxe_expat xxe_sax xxe_xml2json", "xxe", HIGH, LIKELY),
    Row("node_tls_reject node_curl_ssl_verify_disable", "tls", HIGH, SURE),
    Row("node_md5 node_sha1", "weak-hash", MEDIUM, LIKELY),
    Row("node_weak_crypto node_aes_ecb node_aes_noiv", "weak-cipher", MEDIUM, LIKELY),
    Row("node_insecure_random_generator", "weak-random", LOW, UNSURE),
    Row("node_timing_attack", "security", LOW, UNSURE, 208),
    Row("regex_dos regex_injection_dos layer7_object_dos express_bodyparser", "denial-of-service", LOW, UNSURE),
    Row(
        "cookie_session_no_secure cookie_session_no_httponly cookie_session_no_samesite",
        "insecure-cookie",
        LOW,
        LIKELY,
    ),
    Row("cookie_session_default cookie_session_no_domain cookie_session_no_maxage", "insecure-cookie", LOW, UNSURE),
    Row(
        "hardcoded_jwt_secret hardcoded_passport_secret node_secret node_password node_username",
        "secret",
        MEDIUM,
        UNSURE,
    ),
    Row("node_jwt_none_algorithm jwt_not_revoked jwt_express_hardcoded", "access-control", MEDIUM, LIKELY, 347),
    Row("express_cors generic_cors cors_allow_origin", "access-control", MEDIUM, UNSURE, 942),
    Row(
        "electron_nodejs_integration electron_context_isolation electron_disable_websecurity",
        "code-injection",
        HIGH,
        SURE,
    ),
    Row("electron_allow_http electron_blink_integration electron_experimental_features", "exposure", MEDIUM, LIKELY),
)
