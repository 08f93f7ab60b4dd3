"""What a provider's error means, told by its structure; by its words only as a last resort.

An error is read once, wherever it stands: in a response with an error status, in the body or in
the choice of a response with status 200, in a line of a batch. Codes come before statuses, since
gateways keep a provider's code and change its status; a status comes before words, since words
change without notice and may be anybody's.

Sources of the codes: platform.openai.com/docs/guides/error-codes,
docs.anthropic.com/en/api/errors, docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_Converse.html (Errors), ai.google.dev/gemini-api/docs/troubleshooting,
openrouter.ai/docs/api-reference/errors, console.groq.com/docs/errors,
learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-filter, and llama.cpp's
tools/server/README.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from types import MappingProxyType

from assessment.adapters.judges.provider_error import ProviderError, normalise_code
from assessment.domain.judge_errors import (
    AccountSpentError,
    BrokenGenerationError,
    ContentRefusedError,
    CredentialsRefusedError,
    JudgeError,
    JudgeRefusedError,
    JudgeUnavailableError,
    OversizeError,
    RequestTooLargeError,
    UnknownModelError,
    UnsupportedFeatureError,
)


class Situation(StrEnum):
    """What may be the matter when there is no answer."""

    ACCOUNT_SPENT = "account spent"
    REQUEST_TOO_LARGE = "request too large for a limit"
    CONTEXT_EXCEEDED = "context exceeded"
    CONTENT_DECLINED = "content declined"
    BROKEN_GENERATION = "broken generation"
    FEATURE_UNSUPPORTED = "feature unsupported"
    WRONG_KEY = "wrong key"
    WRONG_MODEL = "wrong model"
    PASSING_LIMIT = "passing limit"
    OUTAGE = "outage"
    BAD_REQUEST = "bad request"


def _names(text: str) -> frozenset[str]:
    return frozenset(normalise_code(name) for name in text.split())


CODES: Mapping[Situation, frozenset[str]] = MappingProxyType({
    Situation.ACCOUNT_SPENT: _names(
        "insufficient_quota billing_error billing_hard_limit_reached billing_not_active"
        " insufficient_balance insufficient_credits exceeded_current_quota_error arrearage"
        " billing_disabled billing_not_enabled budget_exceeded credit_limit"
        " insufficient_user_quota pre_consume_token_quota_failed allocation_quota_free_tier_only"
    ),
    Situation.REQUEST_TOO_LARGE: _names(
        "request_too_large request_entity_too_large payload_too_large content_too_large"
    ),
    Situation.CONTEXT_EXCEEDED: _names(
        "context_length_exceeded exceed_context_size_error string_above_max_length"
        " contextwindowexceedederror context_window_exceeded model_context_window_exceeded"
        " max_context_length_exceeded prompt_too_long"
    ),
    Situation.CONTENT_DECLINED: _names(
        "content_filter content_filtered contentfilter content_policy content_policy_violation"
        " contentpolicyviolationerror responsibleaipolicyviolation invalid_prompt"
        " moderation_blocked moderation_error guardrail_intervened data_inspection_failed"
        " cyber_policy_violation refusal safety prohibited_content blocklist spii recitation"
        " sensitive image_safety sensitive_content_detected"
        " input_text_sensitive_content_detected output_text_sensitive_content_detected"
    ),
    Situation.BROKEN_GENERATION: _names(
        "json_validate_failed tool_use_failed output_parse_failed malformed_function_call"
        " malformed_response malformed_tool_use malformed_model_output invalid_model_output"
        " modelerrorexception model_error unexpected_tool_call"
    ),
    Situation.WRONG_KEY: _names(
        "invalid_api_key authentication_error invalid_authentication permission_error"
        " permission_denied unauthenticated unauthorized accessdeniedexception"
        " unrecognizedclientexception invalidsignatureexception account_deactivated"
        " api_key_invalid service_disabled invalid_organization ip_not_authorized"
        " unsupported_country_region_territory authenticationerror account_disabled"
        " organization_disabled api_key_expired invalid_token"
    ),
    Situation.WRONG_MODEL: _names(
        "model_not_found not_found_error notfounderror deploymentnotfound not_found"
        " resourcenotfoundexception model_not_available model_not_supported model_deprecated"
        " deployment_deprecated invalid_model model_decommissioned model_terms_required"
        " operation_not_supported"
    ),
    Situation.FEATURE_UNSUPPORTED: _names(
        "unsupported_parameter unsupported_value unknown_parameter unsupportedparamserror"
    ),
    Situation.PASSING_LIMIT: _names(
        "rate_limit_exceeded rate_limit_error rate_limit_reached ratelimiterror"
        " too_many_requests resource_exhausted throttlingexception toomanyrequestsexception"
        " servicequotaexceededexception slow_down requests tokens engine_overloaded"
        " overloaded_error concurrency_limit_exceeded token_limit_exceeded modelnotreadyexception"
        " rate_limited throttling throttling_rate_quota throttling_allocation_quota"
        " capacity_exceeded service_tier_capacity_exceeded engine_overloaded_error"
    ),
    Situation.OUTAGE: _names(
        "server_error api_error internal_server_error internal_error timeout_error timeout"
        " internalserverexception serviceunavailableexception service_unavailable"
        " modeltimeoutexception modelstreamerrorexception unavailable deadline_exceeded"
        " internalservererror apiconnectionerror expiredtokenexception bad_gateway cancelled"
        " canceled abort aborted network_error insufficient_system_resource"
    ),
})  # fmt: skip
"""Codes, types and reasons that mean one thing whatever the status, by `normalise_code`."""

STATUSES: Mapping[int, Situation] = MappingProxyType({
    HTTPStatus.MOVED_PERMANENTLY: Situation.WRONG_MODEL,
    HTTPStatus.PERMANENT_REDIRECT: Situation.WRONG_MODEL,
    HTTPStatus.UNAUTHORIZED: Situation.WRONG_KEY,
    HTTPStatus.PAYMENT_REQUIRED: Situation.ACCOUNT_SPENT,
    HTTPStatus.NOT_FOUND: Situation.WRONG_MODEL,
    HTTPStatus.METHOD_NOT_ALLOWED: Situation.WRONG_MODEL,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: Situation.WRONG_KEY,
    HTTPStatus.REQUEST_TIMEOUT: Situation.OUTAGE,
    HTTPStatus.CONFLICT: Situation.OUTAGE,
    HTTPStatus.GONE: Situation.WRONG_MODEL,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Situation.REQUEST_TOO_LARGE,
    HTTPStatus.MISDIRECTED_REQUEST: Situation.OUTAGE,
    HTTPStatus.LOCKED: Situation.OUTAGE,
    HTTPStatus.FAILED_DEPENDENCY: Situation.OUTAGE,
    HTTPStatus.TOO_EARLY: Situation.OUTAGE,
    HTTPStatus.TOO_MANY_REQUESTS: Situation.PASSING_LIMIT,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: Situation.CONTENT_DECLINED,
    498: Situation.PASSING_LIMIT,  # Groq: no capacity in this tier
    499: Situation.OUTAGE,  # nginx, Vertex: the connection was given up on the way
    529: Situation.PASSING_LIMIT,  # Anthropic: overloaded
})  # fmt: skip
"""What a status means where no code says more."""

_REFUSING_STATUSES = frozenset({
    HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND,
    HTTPStatus.PRECONDITION_FAILED, HTTPStatus.UNPROCESSABLE_ENTITY, 498,
})  # fmt: skip


@dataclass(frozen=True)
class _Words:
    """Words that tell a situation where neither code nor status does."""

    situation: Situation
    pattern: re.Pattern[str]


def _words(situation: Situation, *patterns: str) -> _Words:
    return _Words(situation, re.compile("|".join(patterns), re.IGNORECASE))


_SPENT_WORDS = _words(
    Situation.ACCOUNT_SPENT,
    r"credit balance",
    r"insufficient (balance|credits|funds)",
    r"(have|has) (any|no|enough) credits",
    r"(reach(ed|ing)|exceeded) (your|the) .{0,30}(usage|spend(ing)?) limit",
    r"(key|credit) limit exceeded",
    r"budget has been exceeded|over budget",
    r"out of call volume quota",
    r"used all (available|your|its) credits",
    r"(no|not enough|out of) (credits|balance|funds)",
    r"balance is (not enough|too low|insufficient)",
    r"free (allocated )?quota exceeded",
    r"\u989d\u5ea6\u4e0d\u8db3|\u4f59\u989d\u4e0d\u8db3",  # not enough quota, not enough balance
)
_BALANCE_WORDS = _words(
    Situation.ACCOUNT_SPENT,
    r"used all (available|your|its) credits",
    r"insufficient (balance|credits|funds)",
    r"balance is (not enough|too low|insufficient)",
    r"\u4f59\u989d\u4e0d\u8db3",  # not enough balance
)
"""What no limit that passes says: texts about one often name a page about billing."""

_KEY_WORDS = _words(
    Situation.WRONG_KEY,
    r"(incorrect|invalid|missing|expired|no) (x-)?api[ _-]?key",
    r"api[ _-]?key (is )?(not valid|invalid|expired|missing)",
    r"organi[sz]ation has been disabled",
    r"not authenticated",
    r"missing authentication token|security token .{0,40}invalid",
    r"\Aforbidden\Z",
    r"location is not supported",
)
_CONTEXT_WORDS = _words(
    Situation.CONTEXT_EXCEEDED,
    r"context[ _]?(length|window|size|limit)",
    r"input (length|tokens?) (should|exceed)",
    r"maximum (number of )?(context|tokens|input|prompt)",
    r"must have less than \d+ tokens",
    r"expected maxlength: \d+",
    r"(prompt|input|request|conversation)( \w+)? (is|are|was) too (long|large)",
    r"too many (input |prompt )?tokens",
    r"too long for (the|this) model",
    r"exceeds? the (available context|maximum (number of )?tokens|model'?s? (context|limit))",
    r"input (length|token count).{0,60}exceed",
    r"longer than the (maximum )?model",
    r"inputs?`? tokens \+ ",
    r"max_tokens must be at least 1, got -",
    r"(?<!max_)tokens?\b.{0,40} exceeds? the limit",
    r"exceeds? (the )?(max_seq_len|max_model_len|n_ctx|context)",
    r"input (is )?(too long|larger than)",
    r"\u4e0a\u4e0b\u6587\u957f\u5ea6",  # context length
)
_CONTENT_WORDS = _words(
    Situation.CONTENT_DECLINED,
    r"content[ _-]?(filter|polic|moderation|management policy)",
    r"blocked by .{0,40}(filter|policy|guardrail|safety)",
    r"(input|prompt|content|text)( was| were| is| has been)? (flagged|blocked)",
    r"(blocked|violat\w+|denied|rejected) .{0,60}guardrail",
    r"guardrail.{0,60}(blocked|violat|denied|rejected|not allowed)",
    r"content exists risk",
    r"new_sensitive",
    r"you have been blocked",
    r"sensitive (information|content)",
    r"responsible ai",
    r"usage (polic|guideline)",
    r"safety (system|filter|setting|polic|reason)",
    r"violat\w+ .{0,40}polic",
    r"inappropriate content",
)
_GENERATION_WORDS = _words(
    Situation.BROKEN_GENERATION,
    r"(produced|generated) (an )?(invalid|malformed|unparsable)",
    r"failed to (generate|sample|parse (the )?(grammar|json|tool call))",
    r"error parsing (the )?(grammar|json|tool call)",
    r"(empty grammar stack|probability tensor|initialize samplers?)",
    r"please adjust your prompt.{0,20}failed_generation",
)
_MODEL_WORDS = _words(
    Situation.WRONG_MODEL,
    r"(no such|unknown|invalid) model",
    r"not a valid model",
    r"on-demand throughput",
    r"model identifier is invalid",
    r"model .{0,80}(does not|doesn't|not) exist",
    r"does not support (chat|text generation)\b",
    r"model .{0,80}(has been decommissioned|not available in your)",
)
_LIMIT_WORDS = _words(
    Situation.PASSING_LIMIT,
    r"too many requests",
    r"rate[ _-]?limit",
    r"(slow down|overloaded|at capacity)\b",
)
_OUTAGE_WORDS = _words(
    Situation.OUTAGE,
    r"upstream (connect error|request timeout)",
    r"(request|connection) (timed out|was reset|reset by peer)",
    r"(service|temporarily) unavailable",
)
_WORDS_BY_KIND_OF_STATUS: tuple[tuple[Callable[[int], bool], tuple[_Words, ...]], ...] = (
    (
        lambda status: status in _REFUSING_STATUSES or status < HTTPStatus.BAD_REQUEST,
        (
            _SPENT_WORDS,
            _KEY_WORDS,
            _CONTEXT_WORDS,
            _CONTENT_WORDS,
            _GENERATION_WORDS,
            _MODEL_WORDS,
            _LIMIT_WORDS,
            _OUTAGE_WORDS,
        ),
    ),
    (
        lambda status: status == HTTPStatus.TOO_MANY_REQUESTS,
        (_BALANCE_WORDS,),
    ),
    (
        lambda status: status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        (_CONTEXT_WORDS, _CONTENT_WORDS, _GENERATION_WORDS, _LIMIT_WORDS),
    ),
    (
        lambda status: status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        (_CONTEXT_WORDS,),
    ),
)
_LIMIT_AND_REQUESTED = re.compile(r"limit:? ([\d,]+)\D.{0,40}?requested:? ([\d,]+)", re.IGNORECASE)
_TOO_LARGE_WORDS = re.compile(
    r"request (is )?too large|single request exceeds|for long context requests", re.IGNORECASE
)


def tell_situation(error: ProviderError) -> Situation:
    """What is the matter: by codes, then by structure, then by status, then by words."""
    situation = _tell_by_code(error)
    if situation is Situation.PASSING_LIMIT or (
        situation is None and error.status in {429, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}
    ):
        # Waiting helps only what fits at all.
        too_large = _exceeds_limit(error)
        situation = Situation.REQUEST_TOO_LARGE if too_large else situation
    if situation in {None, Situation.OUTAGE}:
        # Servers call anything that goes wrong an internal error.
        return _tell_by_words(error) or situation or _tell_by_status(error)
    return situation


def _tell_by_code(error: ProviderError) -> Situation | None:
    if error.is_moderated:
        return Situation.CONTENT_DECLINED
    if error.has_failed_generation:
        return Situation.BROKEN_GENERATION
    for situation, codes in CODES.items():
        if codes & error.codes:
            return situation
    return None


def _exceeds_limit(error: ProviderError) -> bool:
    """Whether the request alone is larger than the limit that it met."""
    match = _LIMIT_AND_REQUESTED.search(error.words)
    if match:
        limit, requested = (int("".join(re.findall(r"\d", match[n]))) for n in (1, 2))
        return requested > limit
    return bool(_TOO_LARGE_WORDS.search(error.words))


def _tell_by_status(error: ProviderError) -> Situation:
    if error.status in STATUSES:
        return STATUSES[error.status]
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status < HTTPStatus.BAD_REQUEST:
        return Situation.OUTAGE
    return Situation.BAD_REQUEST


def _tell_by_words(error: ProviderError) -> Situation | None:
    for is_meant, kinds in _WORDS_BY_KIND_OF_STATUS:
        if is_meant(error.status):
            for kind in kinds:
                if kind.pattern.search(error.words):
                    return kind.situation
    return None


_CLASSES: Mapping[Situation, type[JudgeError]] = MappingProxyType({
    Situation.ACCOUNT_SPENT: AccountSpentError,
    Situation.REQUEST_TOO_LARGE: RequestTooLargeError,
    Situation.CONTEXT_EXCEEDED: OversizeError,
    Situation.CONTENT_DECLINED: ContentRefusedError,
    Situation.BROKEN_GENERATION: BrokenGenerationError,
    Situation.FEATURE_UNSUPPORTED: UnsupportedFeatureError,
    Situation.WRONG_KEY: CredentialsRefusedError,
    Situation.WRONG_MODEL: UnknownModelError,
    Situation.BAD_REQUEST: JudgeRefusedError,
})  # fmt: skip


def classify(error: ProviderError, *, provider: str) -> JudgeError:
    """The error to raise: what is to be done about it, and the provider's words."""
    situation = tell_situation(error)
    message = f"{provider} answered {error.status or 'an error'}"
    if error.status == HTTPStatus.OK:
        message = f"{provider} answered 200 with an error"
    words = error.description
    if situation in {Situation.PASSING_LIMIT, Situation.OUTAGE}:
        return JudgeUnavailableError(
            message,
            words=words,
            retry_after=error.retry_after,
            busy=situation is Situation.PASSING_LIMIT,
        )
    return _CLASSES[situation](message, words=words)


def find_situation(reason: str) -> Situation | None:
    """What one code, type or reason means, or a word of several that means the same."""
    for name in (reason, *re.split(r"[\s:;,]+", reason)):
        code = normalise_code(name)
        for situation, codes in CODES.items():
            if code in codes:
                return situation
    return None
