"""What is odd about an essay before anybody judges it. Flags inform; they judge nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from assessment.domain.judge import estimate_tokens

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# Below this many words, function words are too few to tell a language by.
_WORDS_FOR_LANGUAGE = 25
_LEAST_SHARE = 0.08
_LEAD = 1.5
# What a prompt needs beside its two essays: role, rubric and the form of the answer.
_OTHER_TOKENS = 3000


class EssayFlag(StrEnum):
    """A reason to look at an essay before trusting its verdicts."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    OFF_LANGUAGE = "off_language"
    INSTRUCTION_LIKE = "instruction_like"
    IDENTICAL_TEXT = "identical_text"


# The commonest function words that tell these languages from each other (closed word classes, so
# they occur in a text on any subject).
_FUNCTION_WORDS = {
    "en": "the of and to in is that it was for on are with as his they be at this have from or by "
    "not but what all were we when your can there an which their if will would about because",
    "sv": "och att det som en på är av för den till med inte om ett han men var sig från vi så kan "
    "när då nu eller också bara där efter hade jag har mycket vara ska skulle detta de i "
    "kunde blev bli hon man vad vilken vilka någon något några mer alla andra utan mot mellan "
    "under över genom vid enligt dessa denna dem deras sin sina sitt mig dig oss hur varför "
    "eftersom måste finns får kommer upp ut samt varje hos än medan",
    "de": "der die und das den von zu ist mit sich des auf für nicht ein eine dem auch als es an "
    "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über so zum",
    "fr": "le la les des et en un une du que est pour qui dans sur pas au plus par ce se avec il "
    "ne sont mais nous ou ont être cette aux elle comme leur on je fait",
    "es": "el la de que y en los se del las un por con no una su para es al lo como más pero sus "
    "le ya o este sí porque esta entre cuando muy sin sobre ser tiene también",
    "it": "il di che e la un a per in non sono una mi del si con le da ma come ho lo della questo "
    "alla anche gli più nel dei perché o ha delle",
    "nl": "de het een van en in is dat op te zijn met voor niet die er aan ook als bij maar om dan "
    "wordt ze naar nog kan wat heeft door hij",
    "da": "og det at en den til er som på de med han af for ikke der var et har jeg men sig fra vi "
    "kan om så eller havde blev skal også efter i hvis hvad hvor når nu kun noget nogle nogen "
    "meget mere alle andre uden mod mellem under over gennem ved disse denne dem deres sin "
    "sine sit mig dig os hvordan hvorfor fordi må findes får kommer op ud samt hver hos end "
    "mens bliver være kunne skulle ville være dette",
    "nb": "og det er i som en på å til av for at med har de ikke den et om var jeg men fra vi kan "
    "så eller hadde ble skal også etter være hvis hva hvor når nå bare noe noen mye mer alle "
    "andre uten mot mellom under over gjennom ved disse denne dem deres sin sine sitt meg deg "
    "oss hvordan hvorfor fordi må finnes får kommer opp ut samt hver hos enn mens blir kunne "
    "skulle ville dette seg",
    "fi": "ja on ei se että hän oli ovat mutta kun niin myös joka kuin tai jos sen ole mitä hänen "
    "olla ne tämä sitä vain sekä",
    "pt": "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao "
    "ele das tem à seu sua ou ser",
}
_PROFILES = {name: frozenset(words.split()) for name, words in _FUNCTION_WORDS.items()}
_OWN_WORDS = {
    (one, other): _PROFILES[one] - _PROFILES[other] for one in _PROFILES for other in _PROFILES
}
"""The words of the first of two languages that the second lacks."""
# A word of several languages tells less: Swedish and Danish share most of their short words.
_WEIGHTS = {
    word: 1 / sum(word in profile for profile in _PROFILES.values())
    for profile in _PROFILES.values()
    for word in profile
}

# Speech to the judge rather than about the subject. Wide on purpose: a flag costs a look.
_INSTRUCTIONS = re.compile(
    r"""
    \b(ignore|disregard|forget|override|ignorera|bortse\s+från|ignoriere?n?|ignorez|ignora)\b
      .{0,40}\b(instructions?|rubrics?|prompts?|rules?|above|criteria|essay|instruktioner\w*
      |anweisung\w*|consignes?|instrucciones)\b
    | \bas\s+an?\s+(ai|artificial\s+intelligence|language\s+model|llm)\b
    | \byou\s+are\s+(now\s+)?(an?\s+)?
      (ai|assistant|examiner|judge|grader|chatgpt|language\s+model)\b
    | \b(dear|note\s+to(\s+the)?|message\s+(to|for)(\s+the)?)\s+
      (judge|grader|examiner|ai|assistant)\b
    | \b(choose|pick|select|prefer|declare)\s+(this\s+(essay|text|one)|essay\s+[ab])\b
    | \b(give|award|assign)\s+(this|my)\s+(essay|text|work)\b.{0,30}\b(highest|best|top|full)\b
    | "winner"\s*:
    | \bwinner\s*[:=]\s*(a|b|tie)\b
    | ^\s*(system|assistant)\s*:
    | <\|?(im_start|im_end|system|endoftext)\|?>
    | \[/?INST\]
    | \bESSAY-[0-9a-f]{8,}
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def split_words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return list(map(str.lower, _WORD.findall(text)))


def detect_language(text: str) -> str | None:
    """The language whose function words clearly lead; None when nothing leads or words are few.

    Counting closed-class words is the classical method for running text (Ingle 1976; Grefenstette
    1995, "Comparing two language identification schemes"), and needs no model. Near relatives
    share most of their short words, so the leader is held against the two languages behind it by
    the words that only one of each two has.
    """
    words = split_words(text)
    if len(words) < _WORDS_FOR_LANGUAGE:
        return None
    counts = Counter(word for word in words if word in _WEIGHTS)
    weights = {
        name: sum(n * _WEIGHTS[word] for word, n in counts.items() if word in profile)
        for name, profile in _PROFILES.items()
    }
    leader, *rivals = sorted(weights, key=lambda name: (-weights[name], name))[:3]
    for rival in rivals:
        leader, own, others = _compare_languages(leader, rival, counts)
        if own < _LEAD * others + 1:
            return None
    return leader if weights[leader] >= _LEAST_SHARE * len(words) else None


def _compare_languages(one: str, other: str, counts: Counter[str]) -> tuple[str, int, int]:
    """The one of two languages with more words that the other lacks, and both numbers of words."""
    n_one = sum(n for word, n in counts.items() if word in _OWN_WORDS[one, other])
    n_other = sum(n for word, n in counts.items() if word in _OWN_WORDS[other, one])
    return (one, n_one, n_other) if n_one >= n_other else (other, n_other, n_one)


def find_common_language(texts: Iterable[str]) -> str | None:
    """The language of most texts that have a recognised one."""
    return _choose_common(map(detect_language, texts))


def _choose_common(languages: Iterable[str | None]) -> str | None:
    counts = Counter(language for language in languages if language)
    if not counts:
        return None
    (name, times) = counts.most_common(1)[0]
    return name if times * 2 > counts.total() else None


def essay_flags(
    text: str, *, min_words: int, context_tokens: int, language: str | None
) -> tuple[EssayFlag, ...]:
    """The flags of one text; `language` is what the others are written in, if that is known."""
    return _raise_flags(
        text, detect_language(text), min_words=min_words, context_tokens=context_tokens,
        language=language,
    )  # fmt: skip


def _raise_flags(
    text: str, own: str | None, *, min_words: int, context_tokens: int, language: str | None
) -> tuple[EssayFlag, ...]:
    """The flags of a text whose own language is known already, or is None."""
    words = split_words(text)
    raised_flags = {
        EssayFlag.EMPTY: not words,
        EssayFlag.TOO_SHORT: 0 < len(words) < min_words,
        EssayFlag.TOO_LONG: 2 * estimate_tokens(text) + _OTHER_TOKENS > context_tokens,
        EssayFlag.OFF_LANGUAGE: bool(language and own and own != language),
        EssayFlag.INSTRUCTION_LIKE: bool(_INSTRUCTIONS.search(text)),
    }
    return tuple(flag for flag, raised in raised_flags.items() if raised)


def list_flags(
    texts: Sequence[str], *, min_words: int, context_tokens: int, language: str | None
) -> list[tuple[EssayFlag, ...]]:
    """The flags of texts that belong together; `language` None finds out what most are in."""
    # Once for each text: it is what takes the longest but for the search for instructions.
    own = [detect_language(text) for text in texts]
    shared = language or _choose_common(own)
    copies = Counter(" ".join(text.split()) for text in texts)
    return [
        _raise_flags(
            text, its_own, min_words=min_words, context_tokens=context_tokens, language=shared
        )
        + ((EssayFlag.IDENTICAL_TEXT,) if copies[" ".join(text.split())] > 1 else ())
        for text, its_own in zip(texts, own, strict=True)
    ]
