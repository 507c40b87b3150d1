"""The words that show what an amount is about, and those that make a comparison doubtful."""

import re

from app.grading.contradictions.units import Unit

ITSELF = re.compile(r"(?<!\w)(?:машин[аеку]|авто(?!\w)|тачк|издели|аппарат|устройств|вещ[ьи])")
"""Words for the thing of the listing, whatever it is."""
PRICE_CUE = re.compile(
    r"(?<!\w)(?:цен[аеыу]\w{0,2}|ценник\w{0,2}|сто[ия]т|стоимост\w{1,2}|стоить|прошу|просим|продаю"
    r"|продаем|продается|хочу|хотим|обойд[еу]тся|выход[ия]т|выйд[еу]т|отдаю|отдаем|по прайсу"
    r"|ид[её]т|забирайте|возьмите|платите|заплатите|с вас|с собой|переводите|переведите|ваш[аеи]?"
    r"|наличными|переводом|налом|на карту|нал|окончательн\w{1,2}"
    r"|финальн\w{1,2}|бер[уе]м?|услуга)(?!\w)"
)
ASKS_STOCK = re.compile(
    r"(?<!\w)(?:актуал|свобод|прода|в наличии|в продаже|еще есть|забрать|забираю|купить|куплю|беру"
    r"|жив[ао]?(?!\w)|интересует|хочу)"
)
"""Words of a question whether the thing is still for sale."""
ASKS_SIZE = re.compile(
    r"вмести|размер|ширин|высот|длин|глубин|диагонал|габарит|площад|объем|памят|радиус|диаметр|метраж"
    r"|бирк|этикетк"
    r"|литраж|дюйм|гигабайт|гигов|параметр|квадратур|толщин|толстый|сколько (?:метров|квадратов"
    r"|см|гб"
    r"|литр|сот)"
)
ASKS_AREA = re.compile(r"площад|метраж|квадрат(?!н)|квадратур")
ASKS_YEAR = re.compile(
    r"(?<!\w)(?:год\w{0,2}|г\.?в|выпуск\w?|лет|(?:19|20)\d\d|\d\d-?(?:й|го|ый)|годик\w{0,2}|годов|возраст\w?)(?!\w)|свеж|старая|старый|старые|давно"
)

IS_SIZE = re.compile(
    r"(?<!\w)есть(?!\w)|в наличии|размер|бирк|(?<!\w)это(?!\w)|сам[оаи]? |на самом деле|по факту"
)
MEASURES: tuple[tuple[Unit, re.Pattern[str]], ...] = tuple(
    (unit, re.compile(pattern))
    for unit, pattern in (
        (Unit.INCH, r"диагонал|дюйм|экран"),
        (Unit.AREA, r"площад|метраж|квадрат|(?<!\w)общая"),
        (Unit.LAND, r"(?<!\w)сот(?:ок|ки)|участ|земл"),
        (Unit.STORAGE, r"памят|гиг|(?<!\w)гб|диск|накопител"),
        (Unit.VOLUME, r"литр|объем|вмести|вмеща"),
        (Unit.WEAR, r"размер|бирк|этикетк|подошв|рост|рассчитан|маркиров"),
        (Unit.LENGTH, r"ширин|высот|длин|глубин|диаметр|толщин|габарит|(?<!\w)см(?!\w)|метр"),
        (Unit.WHEEL, r"радиус|диаметр|(?<!\w)r(?!\w)"),
    )
)
"""The words after which, or after a question with which, a number is of a measure."""

OTHER_THING = re.compile(
    r"(?<!\w)(?:соседн|друг(?:ой|ая|ие|ого|ую)(?!\w)|втор(?:ой|ая|ую)(?!\w)|есть еще|еще какие"
    r"|нов(?:ый|ая|ое) (?:почем|сколько|стои|цена)|в магазине)"
    r"|\d{1,9}(?= (?:есть|нет|нету|будет)(?!\w))"
)
"""Words of a question about another thing."""
CONTRAST = re.compile(r"^ ?а (?!это|скольк|скок|поч|цен|как|по )")
"""The beginning of a question about another thing: «а чехол?»."""
OTHERS = re.compile(
    r"(?<!\w)(?:таки[ех]|тоже|видел[аи]?|рядом (?:брат|сосед|дом|участок)"
    r"|друг(?:ой|ая|ие|ое|ом|ую|их)|еще (?:один|одна|одно|парочка|вариант))(?!\w)"
)
"""Words of a sentence about other things of the same kind."""
BARGAIN = re.compile(
    r"(?<!без )торг|последн\w{1,2} цен|скидк|скин|уступ|подешевле|подвин|сброс|сброш|отдадите"
    r"|отдашь|отда[мд]|дорого"
    r"|договор(?:имся|ились)|минимал|предл(?:ага|ож)|забер|готов[а]? (?:взять|забрать|купить)"
    r"|опт(?!\w)|обмен|ближе к"
)
"""Words of a chat in which a lower price may have been agreed."""
PER_UNIT = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "piece",
            r"(?:(?<!\w)за |/ ?)(?:шт|один\b|одну\b|одно\b|1 ?шт|единиц|экземпляр)|поштучно"
            r"|кажд\w{2,3}|(?<!\w)шт(?!\w)",
        ),
        (
            "meter",
            r"(?:(?<!\w)за |/ ?)(?:м2|м²|м(?!\w|ес)|кв|квадрат|метр|погон|п\.? ?м)|квадрат стоит"
            r"|^ ?(?:метр|квадрат|погонный метр)(?:[ :—-]{1,3}\d| (?:с |вых|обх|ст|сколько|поч))",
        ),
        (
            "weight",
            r"(?:(?<!\w)за |/ ?)(?:кг|килограмм|кило|тонн|литр|л(?!\w)|куб|мешок)|(?:килограмм"
            r"|литр|куб) стоит"
            r"|^ ?(?:куб|кило|килограмм|литр|тонна)(?:[ :—-]{1,3}\d| (?:сколько|поч))",
        ),
        ("hour", r"(?:(?<!\w)(?:за|в) |/ ?)час|часовая|почасов|/ ?ч(?!\w)|час (?:стоит|работы)"),
        ("day", r"(?:(?<!\w)(?:за|в) |/ ?)(?:сут|день|ночь)|посуточн|сутки|суток|ноч(?:ь|и)(?!\w)"),
        (
            "month",
            r"(?:(?<!\w)(?:за|в) |/ ?)(?:мес|неделю|год(?!\w))|ежемесячн|помесячн|(?<!\w)мес(?!\w)",
        ),
        ("kilometer", r"(?:(?<!\w)за |/ ?)(?:км|километр)"),
    )
)
"""What a price is for."""

SIDES = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("width", r"(?<!\w)(?:ширин|шир\.)"),
        ("height", r"(?<!\w)(?:высот|выс\.)"),
        ("length", r"(?<!\w)(?:длин[аыойу]|длиной)"),
        ("depth", r"(?<!\w)(?:глубин|глуб\.)"),
        ("thickness", r"(?<!\w)толщин"),
        ("diameter", r"(?<!\w)диаметр"),
        ("other", r"(?<!\w)(?:сечени|стельк|каблук|хват(?!а)|клиренс|зазор|вылет|диагонал)"),
    )
)

_SEVERAL = re.compile(r"комплект|набор|пар[аы](?!\w)|шт(?!\w)|штук|упаков|пачк|парт")
_COUNTED = re.compile(r"(?<![\d.,])(?:[2-9]|[1-9]\d{1,3}) ?шт")
_PART_OF_SET = re.compile(r"(?<!\w)(?:один|одн[аоу]|пар[ау]|штук[аи]|поштучно)(?!\w)")
_IS_SET = re.compile(r"(?<!\w)(?:комплект|набор)(?!\w)")
_BY_PIECE = re.compile(r"(?:(?<!\w)за |/ ?)(?:1 ?)?шт|поштучно")
_NAMED_UNITS = (("weight", re.compile(r"(?<!\w)(?:куб|кг|мешок|литр|тонн|кило)")),)
_MAIN_SIDES = tuple(
    (re.compile(pattern), frozenset(sides.split()))
    for pattern, sides in (
        (
            r"диван|комод|(?<!\w)стол(?:ик)?(?!\w)|купе|тумб|кроват|ванн|раковин|мойк|штор|подокон"
            r"|гарнитур|скам|лавк|ковер|дорожк",
            "width length",
        ),
        (
            r"ремень|лыж|сноуборд|удочк|спиннинг|лодк|доск|кабел|труб|брус|палк|теплиц|прицеп",
            "length",
        ),
        (r"фанер|осб|дсп|гипсокартон|стекл|пенопл|утеплит", "thickness"),
        (r"елк|елочк|стремян|лестниц|холодильник|пенал|фикус|дерев|манекен|пальм", "height"),
        (r"кругл|диск(?!у)|сверл|бассейн|сковород|батут|кольц", "diameter"),
    )
)
"""Things of which one side is the size."""

OTHER_SIZE = re.compile(
    r"(?<!\w)(?:спальн|целиком|жил(?:ая|ой|ых)(?!\w)|изголов|снаруж|внутр|разлож|разобр|сложен|дверн|проем|проход|лифт|коробк|упаков|полк|ящик|потол"
    r"|рост|вес(?!\w)|стельк"
    r"|маломер|большемер|берите|бери(?!\w)|возьм|брать|закаж|под заказ|на заказ|друг(?:ой|ая|ие"
    r"|ого|их|ую)|также|тоже"
    r"|продан|продал|остал|нету|закончил|us(?!\w)|uk(?!\w)|американ|европ|обхват|тали|груд|бедр"
    r"|рукав|плеч|каблук|голенищ"
    r"|(?<!на )подошв|рамк|с рам|в рам|окантов"
    r"|кухн|балкон|лоджи|санузел|комнат[аыеу](?!\w)|зал(?!\w)|прихож|коридор|сиден|спинк"
    r"|подлокотн|столешниц|экран"
    r"|двигател|мотор|бак(?!\w)|багажн|оператив|озу|ram|свободн|занято|флешк|провод|кабель|шнур"
    r"|если(?!\w)|например"
    r"|вместо|раньше|был[аои]?(?!\w)|увелич|подойд|пойд|сяд(?!\w)|сядет|нужен|нужн|надо(?!\w)|ваш"
    r"|вам|меньше|больше"
    r"|любо|соседн|разн(?:ые|ых)|втор(?:ой|ая)|хват(?!а)|нагруз|клиренс|погрешн|по-нашему|еще(?!\w)"
    r"|зато|гарант|матриц|стекл|лучше(?!\w)|совету|рекоменд"
    r"|нос(?:ил|ит)[аи]?(?!\w)|ношу(?!\w)|сын(?!т)|доч(?:к|ь|ер)|ребен|малыш|внук|внуч)"
)
"""Words beside a size that need not be the size of the listing, unless its title has them."""

OTHER_PART = re.compile(r"сложен|разобран|оператив|озу(?!\w)|упаков|коробк|внутр|снаруж")
"""Words of a question about another size of the thing."""
OTHER_YEAR = re.compile(
    r"(?<!\w)(?:позже|потом|поздне|гарант|птс|стс|страхов|осаго|каско|техосмотр|то(?!\w)|ремонт|замен|менял|помен"
    r"|обслуж|куп(?:ил|лен|ле)|покуп"
    r"|приобр|брал|взял|владе|эксплуат|рынк|резин|шин|колес|аккум|акб|двигател|мотор|матриц"
    r"|батаре|экран|ремень|ремн|цеп"
    r"|грм|масл|колодк|подвеск|сцеплен|кузов|красил|перекраш|полиров|дтп|авари|бит(?!\w)|хозя"
    r"|собственник|пропис|зарегистр"
    r"|поставлен|учет|срок|годен|годност|до конца|действ|истека|чек|накладн|договор|аренд|заезд"
    r"|окна|кровл|крыш"
    r"|трубы|пробег|обнов|прошивк|ios|android|windows|верси|комплектац|рестайл|дизайн|коллекц"
    r"|стандарт|поколен|начал"
    r"|с производства|снят|друг(?:ой|ая|ие)|еще(?!\w)|также|если|например|раньше|прошл|будущ"
    r"|следующ|привез|ввез"
    r"|растамож|завез|пригнан|продал|настраи|чемпион|олимп|демоверси|егэ|подар|учил|закончил|опыт"
    r"|стаж|подходит)"
)
"""Words beside a year that need not be the year of the listing, unless its title has them."""
FOUNDED = re.compile(
    r"(?<!\w)(?:основ|откры|работаем|работает|работаю|существу|компани|фирм|на рынке|трудимся)"
    r"|(?<!\w)с$"
)
MADE = re.compile(
    r"(?<!\w)(?:выпу[сщ]|произвед|изготовлен|собран|сделан|постро|сдан|сошл|отшит|сшит"
    r"|вари(?:л|ли)|сдач|сколо[чт]|кача(?:н|ли)|запис(?:ан|ыв)|писал|сварен|сварил|строил|выращен|урожа|собра(?:л|н)"
    r"|отлит|выточен|год (?:выпуска|рождения))"
)
"""Words after which «в 2015 году» is the year of the thing."""
IN_YEAR = re.compile(
    r"(?<!\w)(?:в|во|с|со|до|после|к|на|за|весной|летом|осенью|зимой|январ\w|феврал\w|март\w"
    r"|апрел\w|ма[йея]"
    r"|июн\w|июл\w|август\w|сентябр\w|октябр\w|ноябр\w|декабр\w|начал[аео]|конц[ае]|\d{1,2}[./]) ?$"
)
"""The words before a year of an event."""
_WITHOUT = re.compile(
    r"(?<!\w)как (?:и )?был[аои]?(?!\w)|(?<!\w)если что(?!\w)"
    r"|(?<!\w)без \w{1,40}|(?<!\w)с балкон\w{1,20}|(?<!\w)еще (?=актуал|прод|в налич|есть|свобод"
    r"|не прод)"
)
SEVERAL = re.compile(r"(?<!\w)(?:два|две|три|оба|обе|обоих|вместе|пар[ау])(?!\w)")
"""Words of several things, of which sizes are added up."""
COUNTS = re.compile(
    r"(?<!\w)(?:\d{1,9}|дв[ае]|дво[ея]|три|тро[ея]|четыр\w{0,2}|пят[ьи]|обе|оба|итого|всего|вместе"
    r"|пар[ауы])(?!\w)"
)
"""Words of a calculation: the amount may be a multiple of a known one."""
_COUNT_BEFORE = re.compile(
    r"(?<![\w.,])(?:\d{1,9}(?=[ -][а-я]{2})|дв[ае]|дво[ея]|три|тро[ея]|четыр\w{0,2}|пять|шесть"
    r"|десять"
    r"|полтора)(?!\w)"
)

_DIGITS = {"два": "2", "две": "2", "три": "3", "четыре": "4", "пять": "5", "шесть": "6"}


def names_count(lead: str, known: str) -> bool:
    """Return whether the words before a price name a quantity that the known text does not."""
    if "комплект" in lead and "комплект" in known:
        return False
    if names_part_of_set(lead, known):
        return True
    found = (match[0] for match in _COUNT_BEFORE.finditer(lead))
    return any(count not in known and _DIGITS.get(count, count) not in known for count in found)


def names_part_of_set(text: str, known: str) -> bool:
    """Return whether a folded text names one piece of the set that the known text offers."""
    part = _PART_OF_SET.search(text)
    is_set = _COUNTED.search(known) or _IS_SET.search(known)
    return bool(part and is_set) and str(part and part[0]) not in known


def list_units(text: str) -> frozenset[str]:
    """Return what the prices of a folded text are for."""
    return frozenset(name for name, pattern in PER_UNIT if pattern.search(text))


def list_own_units(text: str) -> frozenset[str]:
    """Return what the price of a folded title may be for."""
    named = {name for name, pattern in _NAMED_UNITS if pattern.search(text)}
    single = set() if _SEVERAL.search(text) else {"piece"}
    counted = {"piece"} if _COUNTED.search(text) and not _BY_PIECE.search(text) else set()
    return (list_units(text) | named | single) - counted


def list_sides(text: str) -> frozenset[str]:
    """Return which sides of a thing a folded text names."""
    return frozenset(name for name, pattern in SIDES if pattern.search(text))


def list_main_sides(text: str) -> frozenset[str]:
    """Return the sides that a single length in a title is likely to be of."""
    return frozenset().union(*(sides for pattern, sides in _MAIN_SIDES if pattern.search(text)))


def drop_excluded(text: str) -> str:
    """Return the text without what an amount does not include."""
    return _WITHOUT.sub("", text)
