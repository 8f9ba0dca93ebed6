"""Word lists behind the judgements of `vacuity`; plain data."""

from __future__ import annotations

_VERBS = (
    "account add address adjust agree align allow analyse analyze annotate answer apply approach "
    "approximate arrange ask assign assume avoid balance base batch begin bound box break bring "
    "build calculate call cancel carry change check choose circle cite clarify classify close "
    "collect combine compare complete compute confirm connect consider construct continue convert "
    "copy correct count cross cut decide declare decompose deduce deduct define delete derive "
    "describe detect determine differentiate discard distinguish distribute divide do "
    "double-check draw drop eliminate emphasise emphasize employ end enumerate equate estimate "
    "evaluate examine exclude expand explain exploit explore express extend extract factor "
    "factorise factorize fetch fill finalize find finish fix focus follow form format formulate "
    "generalize get give go graph group guard guess handle have hold identify ignore include "
    "infer inspect integrate interpret introduce invert invoke isolate iterate keep know label "
    "leave let leverage limit line link list locate look make manage map mark match maximize "
    "measure mention merge mind minimize model move multiply name narrow normalise normalize note "
    "number observe omit open organise organize output paraphrase parse partition pay perform "
    "phrase pick pin place plan plot plug pose prefer present preserve print prioritise "
    "prioritize process produce prove provide put query quote raise rationalise rationalize "
    "re-read read rearrange recalculate recast recheck recognise recognize recompute record redo "
    "reduce refer reflect refuse reject relate rely remember remove rename render repeat rephrase "
    "replace report represent reread resolve respect restate restrict retrieve return reuse "
    "reverse review revise rewrite rotate round rule say scale scan search select separate set "
    "settle shift show simplify sketch skim skip solve sort specify split spot square start state "
    "stay stick stop structure study submit substitute subtract sum summarise summarize suppose "
    "swap switch tabulate tackle take telescope tell test think total trace track translate treat "
    "trim trust try turn understand unify update use utilise utilize validate verify view "
    "visualise visualize watch weigh work write"
)
VERBS = frozenset(_VERBS.split())
"""Verbs that advice begins with, in the bare form."""

_NOUNS = (
    "account address answer approach balance base batch bound box break call cause change circle "
    "close complete count cross cut design double draw drop end estimate even exit factor fetch "
    "fill fix focus form format function graph group guard guess guide hold label limit line link "
    "list look make mark match measure mind model move name number open order output pair pay "
    "phrase pick pin place plan plot point pose present process product prompt query quote range "
    "record report result return review round rule scale search sense separate set shift show "
    "sketch sort split spot square start state stay step stick stop structure study sum test "
    "think time total track trust try turn understand use view watch work"
)
NOUNS = frozenset(_NOUNS.split())
"""Those of them that stand in a text as nouns more often than not."""

_LEARNED_NAMES = (
    "ampere answer april arabic archimedes august avogadro bayes bernoulli boltzmann burnside "
    "cartesian catalan cauchy celsius ceva chain chinese consider cosines coulomb december "
    "diophantine doppler each english euclid euclidean euler fahrenheit faraday february fermat "
    "fibonacci find formula fourier french friday gauss gaussian german given greek heron hertz "
    "hessian hooke how identity inequality jacobian january joule json july june kelvin kirchhoff "
    "lagrange laplace latex latin law legendre lemma let march maxwell may menelaus monday newton "
    "note november october ohm pascal planck power principle problem ptolemy pythagoras "
    "pythagorean python question remainder roman rule saturday schwarz september simpson sines "
    "spanish sql stirling sunday suppose taylor the theorem thursday tuesday venn vieta volt watt "
    "wednesday what when wilson"
)
LEARNED_NAMES = frozenset(_LEARNED_NAMES.split())
"""Capitalised words that name methods, units, days and the like, and nobody in a problem."""
