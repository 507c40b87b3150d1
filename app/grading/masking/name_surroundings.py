"""What stands around a name: introductions, greetings, and the things whose names are people's («кухня Мария»)."""

import re

from app.grading.masking.first_names import ambiguous_names, folded, listed_names
from app.grading.masking.name_words import (
    CYRILLIC,
    WORD,
    NameToken,
    is_latin_name,
    is_latin_surname,
)
from app.grading.masking.words import read_word

SHOP = re.compile(
    r"(?i)(?<!\w)(?:авто\w{0,20}|магазин\w{0,4}|салон\w{0,4}|мебел\w{0,10}|строй\w{0,20}|ремонт\w{0,10}|сервис\w{0,4}|центр\w{0,4}"
    r"|студи\w{0,4}|компани\w{0,4}"
    r"|команда|техник\w{0,4}|запчаст\w{0,4}|квартир\w{0,4}|недвиж\w{0,10}|дом|мир|для|ооо|зао|оао|shop|store|market|service|avito|авито"
    r"|опт\w{0,8}|склад\w{0,4})(?!\w)"
)
NO_LATIN_NAME = re.compile(
    r"(?i)apple|iphone|samsung|xiaomi|sony|nokia|google|android|windows|home|house|auto|car|cars|moto|sport|fashion|style|best|good|new"
    r"|old|big|top|vip|pro|max|plus|lux|luxe"
    r"|love|life|world|master|king|queen|boss|black|white|red|blue|green|gold|silver|star|sun|moon|cat|dog|fox|wolf|bear|tiger|lion"
    r"|seller|buyer|user|client|customer|admin"
    r"|manager|sale|sales|price|city|hello|just|the|and|for|you|your|real|super|mega|tech|digital|online|official|group|company|studio"
    r"|design|art|photo|music|game|games|bmw"
    r"|audi|toyota|mazda|honda|ford|kia|hyundai|lada|opel|volvo|lexus|nissan|bosch|makita|philips|lenovo|asus|acer|dell|intel|nvidia"
    r"|canon|nikon|lego|nike|adidas|puma|zara"
)
# A product's name is often a person's: «кухня Марина», «кровать Виктория».
PRODUCT = re.compile(
    r"(?i)(?<!\w)(?:кот|кошк|щен|собак|п[её]с|мишк|барби|попуга|коров|лошад|кличк|диван|кроват|кухн|шкаф|стол|стул|кресл|комод|прихож"
    r"|гостин|спальн|матрас|модел|коллекци|сери|сорт|роз|плать|ткан"
    r"|цвет|люстр|обо|двер|лад|тойот|шкод"
    r"|плитк|книг|роман|повест|кукл|духи|аромат|виноград|клубник|игр|лего|марк|картин|учебник|майк|футболк|парфюм|постер|плакат|фильм"
    r"|диск|пластинк|винил"
    r"|песн|альбом|бюст|портрет|стих|том|собрани|автомат|пистолет|самосвал|поезд|теплоход|крейсер|яхт|кат[ео]р|моторк|мотор|кофе"
    r"|шоколад|торт|вафл|икр|вин|коньяк"
    r"|медал|орден|значок|монет|икон|праздник|ден|церков|храм|собор|монастыр|театр|парк"
    r"|музе)[а-яё]{0,4}(?: [«\"„]?[А-ЯЁа-яё]{2,20})? ?[ \"«„]$"
)
NOT_BEFORE_THING = re.compile(
    r"(?:привет|день|вечер|утро|ночь|время|имя|номер|телефон|карта|карту|карте|сбер|контакт|перевод|адрес|получатель|вопрос|спасибо"
    r"|фамилия|посылка|посылку|заказ|тел|мама|папа|салам|здравия|добро|паспорт|договор|счет|чек|запись|почта|тинькофф|втб|доброе"
    r"|добрый|данные|фио|подпись|ответ|сообщение)"
)
TITLE = (
    r"(?:г-н|г-жа|господин|госпожа|гражданин|менеджер|мастер|замерщик|сборщик|прораб|курьер|консультант|кладовщик|водитель|продавец"
    r"|администратор|директор|хозя(?:ин|йка)"
    r"|собственник|риелтор|риэлтор"
    r"|агент|оператор|бухгалтер|мама|муж|жена|сын|дочь|брат|сестра|друг|подруга|сосед|соседка|тесть|бабушка|дедушка|отец|напарник"
    r"|коллега|знакомый|дядя|т[её]тя|баба|дед"
    r"|бригадир|логист|грузчик|товарищ|представитель|секретарь|помощник|специалист|техник|инженер|врач|доктор|учитель|тренер"
    r"|преподаватель|няня)[а-яё]{0,2}"
)
INTRODUCTION = re.compile(
    r"(?i)(?<!\w)(?:меня зовут|(?:его|е[её]|мужа|жену|сына|бабушку|маму|как) зовут|зовут|зовите меня|зовите|звать|зовут меня|мо[её] имя"
    r"|имя|фио|получател[ьяюе]м?|получит|получает"
    r"|отправител[ьяю]|заказчик|контактное лицо|на имя|с уважением|вас приветствует|на связи|вам пишет|пишет|уважаем(?:ый|ая)"
    r"|спросит[ье]|спросить|позовите|доверенност[ьи] на"
    rf"|оформ\w{{1,8}} на|записан\w? на|перевод на|карта на имя|заберет|забер[её]т|встретит|звонил[аи]?|звонила|от имени|my name is"
    rf"|i am|i'm|this is|call me|{TITLE})"
    rf"(?:[ :,—–-]{{1,3}}|\n)(?:(?:ип|гр\.?|гражданин\w?|{TITLE}),? ){{0,1}}$"
)
ABBREVIATED = re.compile(r"\. ?[а-яё]")
OF_A_PLACE = re.compile(r" (?i:дель?|ла|лос|сан|бэй|бич|плаза|парк|хилл|сити|стрит|холл|тауэр)(?!\w)")
PARTNER = re.compile(r" и ([А-ЯЁ][а-яё]{2,30})(?![а-яё])")
FOLLOWING = re.compile(r" ([А-ЯЁа-яё]{3,30})(?![А-ЯЁа-яё])")
LONGEST_LABEL = 60
INTRODUCTIONS = re.compile(INTRODUCTION.pattern.removesuffix("$").removeprefix("(?i)"))  # of lower-case texts: four times as fast
CALLED = re.compile(r"(?i)(?<!\w)(?:зовут|звать|мо[её] имя)(?: меня)?[ :,—–-]{1,3}$")
SELF = re.compile(r"(?i)(?<!\w)(?:это|я|меня|от|ваш|вам|с|у|к|за|для|на связи) $")
GREETING = (
    r"(?:здрав?ствуйте|приветствую|привет|добрый (?:день|вечер)|доброе утро|доброго дня|салам(?: алейкум)?|спасибо|уважаем(?:ый|ая)"
    r"|хорошо|да|нет|понял|поняла|ок|окей|благодарю|извините|простите|прости)"
)
GREETED = re.compile(rf"(?i)(?<!\w){GREETING}[, ]{{1,3}}$")
VOCATIVE_END = re.compile(r"(?i)[!.,;:)?]|\s{0,8}$")
BEFORE_NAME = re.compile(r"[.!?…,;:\n(—-]\s{0,8}$|^\s{0,8}$")
LOOK_BACK = 60


def may_be_name(token: NameToken, before: str) -> bool:
    """Where a name is expected: a first name in any spelling, or a word of no dictionary; uncapitalised only after «меня зовут»."""
    if not CYRILLIC.fullmatch(token.word):
        return token.is_capitalised and (is_latin_name(token) or is_latin_surname(token))
    reading, form = token.reading, folded(token.word)
    if form in ambiguous_names():
        return token.is_capitalised
    if form in listed_names() or (reading.is_first_name and not reading.is_common):
        return True
    if not token.is_capitalised:
        return bool(CALLED.search(before)) and not reading.is_known
    return not reading.is_common and (not reading.is_known or reading.is_surname or reading.is_patronymic) and reading.is_noun


def names_a_thing(text: str, token: NameToken) -> bool:
    """«Катюша сорт», «Маша и Медведь»: a thing follows at once, and nobody does anything in the text."""
    if OF_A_PLACE.match(text, token.end):
        return True
    partner = PARTNER.match(text, token.end)
    if partner:
        return read_word(partner[1]).is_common and not read_word(partner[1]).is_first_name
    following = FOLLOWING.match(text, token.end)
    if not following or token.is_oblique or len(text) > LONGEST_LABEL:
        return False
    return read_word(following[1]).is_thing and not any(read_word(word).is_verb for word in WORD.findall(text))


def is_spoken_to(text: str, before: str, token: NameToken) -> bool:
    """Where a name that is also a word can only be a name: «Спасибо, Вера!», «Роман, подскажите», «это Слава»."""
    after = text[token.end : token.end + 20]
    ends = bool(VOCATIVE_END.match(after))
    if re.search(r"(?i)(?<!\w)это $", before) and re.match("(?i) (?:из|от|с|по) ", after):
        return True
    if GREETED.search(before) or re.search(
        r"(?i)(?<!\w)(?:это|я|меня зовут|зовут|спросит[ье]|позовите|мастер|менеджер|курьер"
        r"|водитель)[ —-]{1,3}$",
        before,
    ):
        return ends or bool(INTRODUCTION.search(before))
    if re.search("(?i)(?<!\\w)меня $", before):
        return after.lower().startswith(" зовут")
    return bool(BEFORE_NAME.search(before)) and bool(
        re.match(
            rf"(?i), ?(?:{GREETING}|подскаж|скаж|добр|будьте|можно|можете|когда"
            rf"|извин)",
            after,
        )
    )
