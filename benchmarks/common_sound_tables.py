"""Sound tables, made up from fixed seeds: rare right words beside frequent ones that look much like them.

Titles, names, places, styles and publications are what cleaning by spelling breaks: British beside American
spelling, capitals of one kind or another, initials, plurals, towns and journals that differ in a letter.
Each function returns the rows, the first of which names the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Rows = list[list[str]]
Random = np.random.Generator


def titles(rows: int = 2500, seed: int = 11) -> Rows:
    """A library: no column follows from another, but for the shelf, which goes with the subject."""
    g = np.random.default_rng(seed)
    made = [["id", "title", "authors", "subject", "shelf", "language", "year", "pages"]]
    for number in range(rows):
        subject = str(g.choice(list(_SUBJECTS)))
        language = "English" if g.random() < 0.95 else str(_rarely(g, _LANGUAGES))
        year, pages = g.integers(1950, 2025), g.integers(40, 900)
        cells = [number, _title(g, subject), _authors(g), subject, _SUBJECTS[subject], language, year, pages]
        made.append(list(map(str, cells)))
    return made


def names(rows: int = 2500, seed: int = 12) -> Rows:
    """Customers: first and family names that differ in a letter, each with a company and its town."""
    g = np.random.default_rng(seed)
    companies = [(f"{_rarely(g, _FAMILIES)} {g.choice(_TRADES)}", *_town(g)) for _ in range(300)]
    made = [["customer", "first_name", "family_name", "email", "company", "town", "state", "phone", "since"]]
    for number in range(rows):
        first, family = str(_rarely(g, _FIRST)), str(_rarely(g, _FAMILIES))
        company, town, state, area, _ = _rarely(g, companies)
        email, phone = f"{first}.{family}@example.org".lower(), f"{area}-555-{g.integers(1000, 9999)}"
        since = f"20{g.integers(10, 25)}-{g.integers(1, 13):02}-{g.integers(1, 29):02}"
        made.append([f"C{number:05}", first, family, email, company, town, state, phone, since])
    return made


def places(rows: int = 2500, seed: int = 13) -> Rows:
    """Addresses: Portland beside Portage, one town name in two states, one street written in two ways."""
    g = np.random.default_rng(seed)
    made = [["place", "number", "street", "town", "state", "zip", "county", "country", "kind"]]
    for number in range(rows):
        town, state, _, code = _town(g)
        street = f"{_rarely(g, _STREETS)} {_rarely(g, _WAYS)}"
        county = _COUNTIES.get((town, state), f"{state} County {code % 7}")
        country = {"VIC": "Australia", "Styria": "Austria"}.get(state, "USA")
        zip_code, kind = f"{code + g.integers(0, 3):05}", str(_rarely(g, _PLACES))
        house = str(g.integers(1, 9999))
        made.append([str(number), house, street, town, state, zip_code, county, country, kind])
    return made


def styles(rows: int = 2400, seed: int = 14) -> Rows:
    """Beers and breweries: a brewery determines its town, but one brews in two; styles near to each other."""
    g = np.random.default_rng(seed)
    breweries = [(f"{_rarely(g, _STREETS)} {g.choice(_FIRMS)}", *_town(g)) for _ in range(400)]
    made = [["id", "beer", "style", "ounces", "abv", "ibu", "brewery_id", "brewery", "town", "state"]]
    for number in range(rows):
        place = _zipf(g, len(breweries))
        brewery, town, state, _, _ = breweries[place]
        if place == 3 and g.random() < 0.05:
            town, state = "Asheville", "NC"
        style = str(_rarely(g, _STYLES))
        kind = style.split(" (")[0].split(" / ")[0] if g.random() < 0.4 else g.choice(_SORTS)
        ounces, abv = f"{_rarely(g, _OUNCES)} oz", f"{g.integers(35, 99) / 1000:.3f}"
        ibu = "" if g.random() < 0.4 else str(g.integers(5, 120))
        beer = f"{_rarely(g, _BEERS)} {kind}"
        made.append([str(number), beer, style, ounces, abv, ibu, str(place), brewery, town, state])
    return made


def publications(rows: int = 2500, seed: int = 15) -> Rows:
    """Articles: a journal determines its abbreviation, and its ISSN but where that is the electronic one."""
    g = np.random.default_rng(seed)
    journals = _journals(g)
    made = [["id", "article_title", "authors", "journal", "abbreviation", "issn", "volume", "issue", "pages",
             "language", "created"]]  # fmt: skip
    for number in range(rows):
        journal, short, printed, electronic = _rarely(g, journals)
        if g.random() < 0.02:
            journal = journal.replace("Journal of", "journal of").replace(" and ", " & ")
        issn = electronic if g.random() < 0.03 else printed
        start, issue = int(g.integers(1, 2000)), "" if g.random() < 0.1 else str(g.integers(1, 13))
        pages, volume = f"{start}-{start + g.integers(1, 30)}", str(g.integers(1, 90))
        language = "eng" if g.random() < 0.96 else str(_rarely(g, _CODES))
        created = f"{g.integers(1, 13)}/{g.integers(1, 29)}/{g.integers(0, 25):02}"
        title = _title(g, str(g.choice(list(_SUBJECTS))))
        made.append([str(number), title, _authors(g), journal, short, issn, volume, issue, pages, language,
                     created])  # fmt: skip
    return made


SOUND = {
    "titles": titles,
    "names": names,
    "places": places,
    "styles": styles,
    "publications": publications,
}


def _rarely(g: Random, words: Sequence[Any]) -> Any:
    """One of them, the first often, the last hardly ever."""
    return words[_zipf(g, len(words))]


def _zipf(g: Random, count: int) -> int:
    shares = 1 / np.arange(1, count + 1) ** 1.2
    return int(g.choice(count, p=shares / shares.sum()))


def _title(g: Random, subject: str) -> str:
    title = str(_rarely(g, _FORMS)).replace("{}", subject)
    if g.random() < 0.05:
        title = title.title()
    if g.random() < 0.04:
        for american, british in _BRITISH.items():
            title = title.replace(american, british)
    return title


def _authors(g: Random) -> str:
    return "; ".join(f"{_rarely(g, 'SJCMAEOQ')}. {_rarely(g, _FAMILIES)}" for _ in range(g.integers(1, 5)))


def _town(g: Random) -> tuple[str, str, int, int]:
    """Town, state, area code, first post code."""
    place = _zipf(g, len(_TOWNS))
    town, state = _TOWNS[place].split(", ")
    return town, state, 200 + place * 7, 1000 + 613 * place


def _journals(g: Random) -> list[tuple[str, str, str, str]]:
    """Name, abbreviation, printed and electronic ISSN."""
    made = []
    for form in _SERIES:
        for field in _FIELDS:
            name = form.replace("{}", field)
            words = [word for word in name.split() if word not in ("of", "and")]
            short = " ".join(word[:5] + "." * (len(word) > 5) for word in words)
            codes = [f"{g.integers(1000, 9999)}-{g.integers(100, 999)}{g.integers(10)}" for _ in "pe"]
            made.append((name, short, *codes))
    return [made[place] for place in g.permutation(len(made))]


def _list(text: str) -> list[str]:
    """Parts between semicolons; line ends are spaces."""
    return [" ".join(part.split()) for part in text.split(";")]


_SUBJECTS = {
    "urban flooding": "551.4", "smoking cessation": "613.8", "breast surgery": "617.5",
    "growth factors": "571.8", "brain injury": "617.4", "brain injuries": "617.4", "stroke care": "616.8",
    "insulin levels": "616.4", "older adults": "618.9", "gene variants": "572.8", "color vision": "617.7",
    "airway nitric oxide": "616.2", "labor markets": "331.1", "behavior of bees": "595.7",
    "sea level": "551.4", "sea levels": "551.4",
}  # fmt: skip
_FORMS = _list("""A systematic review of {}; Comparing models for the analysis of {};
    A randomized trial of {};
    Recommendations from a consensus group on {}; Outcomes among patients with {}; The history of {};
    Modeling {} in a changing climate; An introduction to {}; A systematic review of reviews on {};
    Comparing models for analyzing {}; Randomized trials of {} in one patient with abnormal results;
    Recommendations From a Consensus Group on {}; Caring for the patient with {}; Systemic effects of {};
    A history of {}; Histories of {}; Outcome among a patient with {}; Reviewing {}; On {}; On the {};
    Organization of {} centers; Organizing {}; A case of {}; Two cases of {}; Some causes of {}""")
_BRITISH = {
    "andomized": "andomised", "Modeling": "Modelling", "analyzing": "analysing", "color": "colour",
    "labor": "labour", "behavior": "behaviour", "centers": "centres", "Organiz": "Organis",
}  # fmt: skip
_LANGUAGES = _list("French; German; Danish; Spanish; Welsh; Germany")
_CODES = _list("fre; ger; spa; dan; ita; enm")
_FAMILIES = _list("""Smith; Johnson; Martin; Miller; Hansen; Jensen; Callan; Craven; Okafor; Sato;
    Andersen;
    Anderson; Lind; Meyer; Maier; Thompson; Thomson; Ito; Carver; Larsen; Larson; Hanson; Marten; Lindt;
    Satoh;
    Mayer; Meier; Johnston; Johnstone; Smyth; Smythe; Callahan; Cravens; Jonson; Muller; Möller;
    Müller; Millar;
    Janssen; Jansen; Jenson; Gravens; Calder; Caldor; Ohara; O'Hara; de la Cruz; Delacruz; van Dyke; Vandyke;
    MacDonald; McDonald; Macdonald""")
_FIRST = _list("""Maria; John; Anna; Michael; Sara; Stephen; Catherine; Eric; Jon; Sarah; Steven;
    Katherine;
    Erik; Marie; Ana; Anne; Ann; Hannah; Hanna; Michal; Mikael; Kathrine; Catharine; Erica; Erika;
    Mario; Marla;
    Marta; Martha; Joan; Johan; Johann; Sandra; Sondra; Stefan; Stephan""")
_TRADES = _list("Brothers; & Sons; Roofing; Roasting; Logistics; Bank; Banks; Farms; Foods; Fords")
_TOWNS = _list("""Portland, OR; Springfield, IL; Columbus, OH; Denver, CO; Boulder, CO; Chicago, IL;
    Madison, WI; Portage, MI; Portland, ME; Springfield, MO; Columbia, SC; Columbia, MO; Jackson, MS;
    Jackson, WY; Jacksonville, FL; Dover, DE; Dover, NH; Denver, NC; Rochester, NY; Rochester, MN;
    Lancaster, PA; Lancaster, CA; Saint Paul, MN; St Paul, NE; Salem, OR; Salem, MA; Marion, OH; Marlin, TX;
    Newport, RI; New Port, FL; Newark, NJ; Newark, DE; Bolder, UT; Madisen, MN; Melbourne, VIC; Melbourne, FL;
    Pittsburgh, PA; Pittsburg, KS; Greenville, SC; Grenville, NM; Asheville, NC; Nashville, TN; Ashville, OH;
    Marysville, CA; Maryville, MO; Waverly, IA; Waverley, NS; Graz, Styria; Menominee, MI; Menomonie, WI;
    Menomonee Falls, WI; Kalispell, MT""")
_COUNTIES = {("Portland", "OR"): "Multnomah", ("Portland", "ME"): "Cumberland", ("Denver", "CO"): "Denver"}
_STREETS = _list("""Main; Oak; Park; Maple; Cedar; Elm; Pine; River; Hill; Lake; Mill; Church; Spring; Bank;
    Rivers; Hills; Mills; Maples; Lakes; Perk; Mail; Cedars; Springs; Rover; Marple; Lane; Pines; Elms; Oaks;
    Parker; Barker; Baker; Becker; Harker; Main Oak; Old Mill""")
_WAYS = _list("Street; Avenue; Road; St; Lane; Ave; Rd; Land")
_PLACES = _list("shop; ship; school; station; stadium; chapel; shed")
_FIRMS = _list("Brewing Company; Brewery; Beer Co.; Brewing Co.; Ales")
_BEERS = _list("""Golden; Old Town; Summer; Winter; Red Barn; Black Dog; Hop; Hops; Dark; Bark; Harvest;
    Red Bard; Hoppy; Happy; Black Fog; Rye; Wry; Dry; Winters; Golder; Old Crown; Brown""")
_SORTS = _list("Ale; IPA; Lager; Stout; Porter; Pils; Pilsner")
_OUNCES = _list("12; 16; 8.4; 19.2; 24; 32")
_STYLES = _list("""American IPA; American Pale Ale (APA); American Amber / Red Ale; American Blonde Ale;
    American Double / Imperial IPA; American Pale Wheat Ale; American Brown Ale; American Porter;
    Saison / Farmhouse Ale; Witbier; Fruit / Vegetable Beer; Kölsch; Hefeweizen; American Pale Lager;
    English Pale Ale; English Brown Ale; American Stout; German Pilsener; Czech Pilsener; Milk / Sweet Stout;
    Märzen / Oktoberfest; Oatmeal Stout; American Amber / Red Lager; American White IPA;
    American Dark Wheat Ale; English Dark Mild Ale; English India Pale Ale (IPA); American India Pale Lager;
    Belgian IPA; Belgian Pale Ale; Belgian Dark Ale; Dunkelweizen; Dunkel; Doppelbock; Maibock; Bock; Old Ale;
    Gose; Gueuze; Roggenbier; Rauchbier; Radler; Quadrupel; Dubbel; Tripel; Mead; Cider""")
_SERIES = _list("""Annals of {}; Journal of {}; {}; International Journal of {}; {} Letters; Archives of {};
    European Journal of {}""")
_FIELDS = _list("""Surgery; Surgical Oncology; Clinical Oncology; Medicine; Internal Medicine; Urology;
    Neurology; Nephrology; Virology; Urban Climate; Urban Planning; Economic History; Economics; Econometrics;
    Nursing; Vision; Plant Science; Planet Science; Physical Chemistry; Physics and Chemistry; Botany;
    Bone Research; Pain""")
