"""What the detectors of secret scanners mean: a secret each, less sure where the detector looks at entropy or names."""

from typing import Final

from elohim_kernel.model._rules_row import HIGH, INFO, LIKELY, MEDIUM, SURE, UNSURE, Row

_REVOKE: Final = "Revoke it where it was issued, then read the new one from the environment or a secret store."

DETECT_SECRETS: Final = (
    Row(
        "AWS Access Key|Artifactory Credentials|Azure Storage Account access key|Cloudant Credentials"
        "|Discord Bot Token|GitHub Token|GitLab Token|IBM COS HMAC Credentials|IBM Cloud IAM Key|Mailchimp Access Key"
        "|NPM tokens|OpenAI Token|Private Key|PyPI Token|SendGrid API Key|Slack Token|SoftLayer Credentials"
        "|Square OAuth Secret|Stripe Access Key|Telegram Bot Token|Twilio API Key",
        "secret",
        HIGH,
        SURE,
        798,
        _REVOKE,
    ),
    Row(
        "AWSKeyDetector ArtifactoryDetector AzureStorageKeyDetector CloudantDetector DiscordBotTokenDetector"
        " GitHubTokenDetector GitLabTokenDetector IbmCosHmacDetector IbmCloudIamDetector MailchimpDetector NpmDetector"
        " OpenAIDetector PrivateKeyDetector PypiTokenDetector SendGridDetector SlackDetector SoftlayerDetector"
        " SquareOAuthDetector StripeDetector TelegramBotTokenDetector TwilioKeyDetector",
        "secret",
        HIGH,
        SURE,
        798,
        _REVOKE,
    ),
    Row("Basic Auth Credentials|JSON Web Token|BasicAuthDetector|JwtTokenDetector", "secret", HIGH, LIKELY),
    Row("Secret Keyword|KeywordDetector", "secret", MEDIUM, UNSURE),
    Row(
        "Base64 High Entropy String|Hex High Entropy String|Base64HighEntropyString|HexHighEntropyString",
        "secret",
        MEDIUM,
        UNSURE,
    ),
    Row("Public IP (ipv4)|IPPublicDetector", "note", INFO, LIKELY),
)

GITLEAKS: Final = (
    Row("*", "secret", HIGH, SURE, 798, _REVOKE),
    Row("generic-api-key", "secret", MEDIUM, LIKELY),
    Row("jwt jwt-base64 curl-auth-header curl-auth-user hashicorp-tf-password", "secret", HIGH, LIKELY),
    Row("pkcs12-file", "secret", MEDIUM, LIKELY),
)

OTHERS: Final = (Row("*", "secret", None, None, 798, _REVOKE),)
