"""First names of Avito's buyers and sellers: Russian, Tatar, Caucasian and Central Asian ones with their short forms, in every case."""

from collections.abc import Iterator
from functools import cache

_PEOPLE_ONLY = (
    # Russian
    "Александр Александра Алексей Алёна Алеся Алина Алла Анастасия Анатолий Ангелина Андрей Анжела Анжелика Анна Антон Антонина Арина "
    "Аркадий Арсений Артём Артемий Артур Ася Богдан Борис Вадим Валентин Валентина Валерий Валерия Варвара Василий Василиса Вениамин "
    "Вероника Виктор Виктория Виталий Владислав Всеволод Вячеслав Галина Геннадий Георгий Глеб Григорий Даниил Данил Данила Дарья Денис "
    "Диана Дмитрий Евгений Евгения Егор Екатерина Елена Елизавета Ефим Жанна Захар Зинаида Зоя Иван Игнат Игорь Илья Инга Инесса Инна "
    "Ирина Кира Кирилл Константин Кристина Ксения Лариса Леонид Лидия Людмила Максим Маргарита Марина Мария Матвей Михаил Назар Наталья "
    "Наталия Никита Николай Нина Оксана Олег Олеся Ольга Павел Пётр Полина Прохор Раиса Родион Савелий Светлана Семён Сергей Снежана "
    "Софья Станислав Степан Таисия Тамара Татьяна Тимофей Ульяна Фёдор Филипп Эвелина Эдуард Элина Юлия Юрий Яна Ярослав Яков "
    # short forms
    "Аня Антоха Боря Валера Ваня Вася Вика Виталик Витя Влад Вова Володя Гена Гоша Гриша Даша Дашка Деня Дима Димон Женя Ира Иришка "
    "Катя Катюша Кирюша Коля Колян Костян Ксюша Лена Леночка Лёня Лёха Лёша Лиза Люба Лиля Люда Макс Маша Машенька Миша Настя Наташа "
    "Надя Оля Олечка Паша Петя Рита Рома Саня Саша Сашка Серёга Серёжа Стас Стёпа Таня Танюша Толик Федя Юля Юра Яша "
    # Tatar and Bashkir
    "Адель Азалия Айгиз Айгуль Айдар Айрат Айнур Айсылу Азат Азамат Алан Асия Ахмат Алия Алсу Альберт Альбина Альфия Артур Вильдан "
    "Гузель Гульназ Гульнара Гульнур Гульсина Гульфия Гульшат Дамир Данис Диляра Динар Динара Зуфар Зульфия Ильгиз Ильдар Ильмир "
    "Ильмира Ильназ Ильнар Ильнур Ильяс Ильсур Ильшат Ильгам Ильгиза Ильвина Индира Инсаф Ирек Камиль Ландыш Ленар Лейсан Линар Марат "
    "Миляуша Мансур Мунир Нафиса Назия Наиль Наиля Нурия Радик Рамиль Рамис Рафаэль Рауф Рафис Ренат Ринат Рифат Рифкат Рузиль Рузиля "
    "Рушан Розалия Румия Руслан Рустам Рустем Тагир Тимур Фаниль Фания Фанис Фаиль Фарид Фарида Хайдар Хафиз Чулпан Шамиль Эдик Эльвира "
    "Эльдар Эльза Эльмира Эмиль Ямиль "
    # Caucasian
    "Абдулла Амина Аминат Анзор Арман Армен Арсен Артак Аслан Ахмед Ашот Ваган Вагиф Вардан Вахтанг Вугар Гагик Гарик Гасан Гиви Гела "
    "Гоги Гоча Гурам Давид Джамал Заира Зарема Заур Зураб Ибрагим Ильхам Имран Исмаил Карен Курбан Лейла Магомед Мадина Мамед Манана "
    "Марьям Мурад Мурат Муслим Нани Натия Нино Орхан Патимат Расул Рашад Рамиз Рауль Саида Саид Салман Самвел Самир Самира Сурен "
    "Тамерлан Тенгиз Тигран Тофик Умар Фатима Фуад Хадижат Хасан Хусейн Эльчин Эльшан Юсуф "
    # Central Asian
    "Абдулазиз Абдурахман Азиз Айбек Айгерим Айжан Айнура Акмал Алишер Асель Асылбек Бакыт Бауыржан Бахтиёр Бахтияр Баходир Бекзат "
    "Бекзод Далер Данияр Дилдора Дилноза Дильбар Дилшод Ерлан Жанар Жасур Жахонгир Зарина Зафар Зебо Зухра Жамшид Джамшед Икром Ильхом "
    "Комил Малика Мирза Мирзо Мухаммад Мухаммадали Наргиза Нигора Нодир Нурбек Нурлан Равшан Санжар Сабина Сардор Севара Тохир Темирлан "
    "Умид Улугбек Фаррух Фарход Феруза Фируз Хуршид Шавкат Шахзод Шахноза Шохрух Шерзод Эркин "
)
# Also towns, things, states of mind: names only where somebody is spoken to or introduced by them.
_ALSO_WORDS = (
    "Алмаз Булат Варя Вера Владимир Герман Ева Ислам Казбек Камила Костя Лада Лев Лида Лилия Любовь Майя Макар Марк Марсель Милана "
    "Надежда Платон Рамазан Рафик Роза Роман Салават Света Слава Соня София Тёма Эмма "
)
# Forms that are words, at the head of a sentence too; and names whose forms are words unless capitalised («семена», «виктория»).
_WORDS = "борей вари варю жене жени женю коли колей колею лени леней любой людей саней сани саше степей"
_CAPITALISED_ONLY = "Варвара Вероника Виктория Гарик Динар Динара Катюша Максим Малика Маргарита Муслим Семён Толик Марина"
_LONG_ENOUGH_UNCAPITALISED = 6
_FOLDED_E = str.maketrans("ё", "е")
_BACK = "гкхжшчщ"
_CONSONANTS = "бвгджзклмнпрстфхцчшщ"
_OBLIQUE_STEMS = {"Павел": "Павл", "Лев": "Льв"}


def first_name(word: str) -> str | None:
    """The name that this word is a form of («Сергею»: Сергей); None for a word that is also, or only, something else."""
    name = _forms_of(_PEOPLE_ONLY).get(_folded(word))
    if name is None or word[0].isupper():
        return name
    return name if len(word) >= _LONG_ENOUGH_UNCAPITALISED and name not in _CAPITALISED_ONLY.split() else None


def first_name_or_word(word: str) -> str | None:
    """The same with the names that are words as well (Вера, Слава, Роман)."""
    return first_name(word) or (_forms_of(_ALSO_WORDS).get(_folded(word)) if word[0].isupper() else None)


def forms(name: str) -> list[str]:
    """All cases of a name of these lists, lower-case, «е» for «ё»; none of another word."""
    known = first_name_or_word(name.capitalize())
    return (
        sorted({_folded(form) for form in (known, *_bent(known))} - set(_WORDS.split()))
        if known and _folded(known) == _folded(name)
        else []
    )


def is_capitalised_only(name: str) -> bool:
    """True for a name whose forms are ordinary words unless capitalised, or that is short."""
    return len(name) < _LONG_ENOUGH_UNCAPITALISED or name.capitalize() in _CAPITALISED_ONLY.split()


def _folded(word: str) -> str:
    return word.lower().translate(_FOLDED_E)


@cache
def _forms_of(names: str) -> dict[str, str]:
    words = frozenset(_WORDS.split())
    return {folded: name for name in reversed(names.split()) for form in (name, *_bent(name)) if (folded := _folded(form)) not in words}


def _bent(name: str) -> Iterator[str]:
    """The forms of the oblique cases; for a woman's name on a consonant they are forms that nobody uses."""
    stem, last = name[:-1], name[-1]
    if last == "а":
        endings = "и е у ой ою ей" if stem[-1] in _BACK else "ы е у ой ою"
    elif last == "я":
        endings = "и е ю ей ею"
    elif last == "й":
        endings = "я ю ем е и"
    elif last == "ь":
        endings = "я ю ем е и ью"
    elif last in _CONSONANTS:
        stem, endings = _OBLIQUE_STEMS.get(name, name), "а у ом ем е"
    else:
        return
    yield from (stem + ending for ending in endings.split())
