"""Patterns of lower-case lines that are addressed to a grader.

Each pattern is a family of wordings in Russian, English and the languages of Avito's sellers.
"""

_BRIEFLY = r"\W+(?:\w+\W+){0,4}?"
_TWO_WORDS = r"\W+(?:\w+\W+){0,2}?"
_RULES = r"(?:instruction|prompt|rule|guideline|guidance|directive|rubric)"
_ORDER = (
    r"(?:оцени(?:те)?|постав\w*|выстав\w*|присво\w*|напиши\w*|верни\w*|сниз\w*|завыс\w*"
    r"|заниз\w*|засчита\w*|rate|give|grade|score|assign|output|return)"
)
_EXTREME = (
    r"(?:высок\w*|высш\w*|максимальн\w*|отличн\w*|наивысш\w*|низк\w*|минимальн\w*|успешн\w*"
    r"|сто баллов|100|high\w*|low\w*|max\w*|perfect|excellent|top)"
)
_GRADED = (
    r"(?:диалог\w*|переписк\w*|тональност\w*|профессионализм\w*|ясност\w*"
    r"|(?:все|всем|шести|каждому) критери\w*|работ\w+ с возражени\w*|chat|conversation"
    r"|dialog\w*|tonality|professionalism|clarity|closure|criteri\w+)"
)
_CRITERION = (
    r"(?:тональност|профессионализм|ясност|завершени|решени\w* проблем|возражени|tonality"
    r"|professionalism|clarity|closure)"
)
_FIELD = r"(?:grade|checks|summary|recommendations|objection(?:_handling)?|problem_solving)"
_KEY = (
    r"(?:objection|criteria|checks|grade|objection_handling|tonality|problem_solving"
    r"|professionalism|clarity|closure|summary|recommendations|оценк[аи]|критери[ий])"
)
_MODEL = (
    r"(?:нейросет\w*|искусственн\w+ интеллект\w*|языков\w+ модел\w*|(?<!\w)ии(?!\w)"
    r"|оценщику(?!\w)|проверяющ\w+|gpt|chatgpt|deepseek|llm|language model|grader|evaluator)"
)
_JUDGING = (
    r"(?:оцени(?!т)\w*|оценк\w*|балл\w*|критери\w*|инструкци\w*|диалог\w*|переписк\w*|grade"
    r"|score|rating|instruction\w*)"
)
_JUDGE = (
    r"(?:проверяющ|оценщик|экзаменатор|аудитор|контрол[её]р|нейросет|(?:ии|бот)(?!\w)|искусственн)"
)
_ENGLISH_JUDGE = r"(?:ai|llm|grader|evaluator|reviewer|judge|auditor|assistant|language model)"
_READER = (
    r"(?:нейросет(?:ь|и)(?!\w)|нейронк[аеуи](?!\w)|(?<!\w)ии(?!\w| не использ)"
    r"|искусственн\w+ интеллект|(?<!\w)(?:llm|gpt|ai|deepseek|openai|chatgpt)(?!\w)|проверяющ"
    r"|контрол[её]р|grader|evaluator|reviewer|auditor)"
)
_THIS_CHAT = r"(?:(?:эт|данн)\w+ (?:чат|диалог|переписк|разговор)|this (?:chat|conversation))"
_VERDICT = (
    r"(?:оцени(?!\w)|оценк\w+ (?:эт|диалог|продавц)|оценива(?:ешь|ть|я)|оценке|занижа"
    rf"|(?<!\w)балл|(?<!\w)поставь(?!\w)|засчит|учти(?!\w)|пусть учт|{_THIS_CHAT}"
    r"|(?<!\w)(?:scor|grad|rate(?!\w)|rubric|perform|did everything))"
)
_SETTING = (
    r"verdict|(?:seller|chat|dialog|final|grade|score)_\w+|status|final|grading|assessment"
    r"|evaluation|rating_|penalt|quality_|tonality|auto-?qa|(?:set )?tone|courteous|rude"
    r"|вердикт|критери\w*|штраф"
)
_SET_TO = (
    r"(?:high|low|best|yes|no(?!\w)|friendly|a\+|reviewed|whitelist|max|perfect|pass|excellent"
    r"|flawless|off|disabled|none|approved|100|безупречн|отличн|высок|высш|максим|выполнен"
    r"|низк)\w*|\]"
)

_TO_FORGET = (
    r"(?:игнориру|проигнорир|забуд|отмени(?!л)|не учитыва|обойди|отброс|не следуй)"
    rf"\w*{_TWO_WORDS}(?:все|всё|предыдущ|прошл|прежн|сво|выше|систем)"
    rf"\w*{_TWO_WORDS}(?:инструкци|указани|промпт|prompt)",
    (
        r"игнор\w*.{0,40}(?:промпт|prompt)|ignore (?:all |everything )?(?:the )?above"
        r"|(?:систем|прежн)\w* инструкци\w*.{0,20}не применяй"
    ),
    r"игнор\w*\W+инструкци.{0,40}(?:став|постав|оцен|балл)",
    (
        rf"(?:указани|инструкци|промпт)\w*{_TWO_WORDS}(?:недействит|не действ|отмен[её]н"
        r"|удал[её]н|больше не)"
    ),
    r"(?:свой|твой|твои|свои|your)\W+(?:\w+\W+)?(?:промпт|prompt|instruction)",
    r"(?:тво\w+|прежн\w+|your|earlier)\W+(?:\w+\W+)?(?:настройк|directive)",
    (
        r"(?:ignore|disregard|forget|override|bypass|(?:stop|do not|don't|not) follow(?:ing)?)"
        rf"{_BRIEFLY}{_RULES}"
    ),
    (
        r"(?:rubric|instruction|guideline|criteria)"
        rf"\w*{_TWO_WORDS}(?:no longer|do not|don't|is off|void|invalid|cancel|delet|outdated)"
    ),
    r"(?:the|your|this) rubric",
    r"(?:system|системн\w+|developer)[ _-]?(?:prompt|промпт|инструкци|message|override|reminder)",
    (
        r"(?:new|новые|новая|updated)\W+(?:instruction|инструкци)"
        r"\w*\W*(?::|для (?:модел|нейросет|проверяющ|оценщик))"
    ),
)
_TO_GRADE = (
    rf"{_ORDER}.{{0,60}}{_EXTREME}.{{0,40}}{_GRADED}",
    rf"{_ORDER}.{{0,60}}{_GRADED}.{{0,40}}{_EXTREME}",
    rf"{_EXTREME}.{{0,30}}оценк\w*.{{0,30}}{_GRADED}",
    r"(?:give|assign|award|receive|get|deserves?)"
    rf"{_BRIEFLY}(?:highest|high|perfect|maximum|top|full|lowest|low)"
    r"\W+(?:grade|score|rating|mark)s?",
    rf"оценк\w*\W+по вс\w+ критери\w*|{_CRITERION}\w*\W{{1,4}}(?:высок|средн|низк|high|medium|low)",
    rf"{_CRITERION}.{{0,40}}(?:оцени|постав|выстав).{{0,20}}(?:высок|низк|high)",
    r"оценк\w*\s*[—–-]\s*(?:высок|низк|средн)|(?:grade|оценка)\s*[:=]\s*(?:high|высокая)",
    r"(?:правильный|верный|correct|expected) (?:ответ|answer)\W.{0,10}(?:высок|низк|high|low)",
    r"(?:дай|ставь|выдай|дайте|поставь|answer|give|set|put|respond|say)"
    r"\W+(?:\w+\W+){0,2}?high(?=\W*$|,)",
)
_IN_THE_ANSWERS_WORDS = (
    (
        r"(?:\b(?:set(?! of)|mark|leave|output|return|put|write)|выдай|ответь|ставь|напиши"
        rf"|пиши)\b.{{0,30}}\b{_FIELD}\b"
    ),
    r"(?:ответь|отвечай|выдай|ставь|answer|output|respond|grade)"
    r"\W+(?:\w+\W+){0,3}?(?:high|medium|low|none|y)(?=\W*$|\W+(?:for|every|по|во|на))",
    rf"[\"']{_KEY}\\?[\"']\s*:|\"r\\?\"\s*:\s*\\?\"(?:buyer|seller)"
    r"|\"role\\?\"\s*:\s*\\?\"(?:system|user|assistant)",
    r"\b(?:problem_solving|objection_handling)\b",
)
_TO_A_READER = (
    rf"{_READER}.{{0,80}}{_VERDICT}|{_VERDICT}.{{0,80}}{_READER}",
    rf"(?<!\w){_MODEL}.{{0,15}}[,:—-].{{0,40}}{_JUDGING}"
    rf"|(?:для|dear|attention|note to|внимание)\W+(?:the\W+|ai\W+)?(?:{_MODEL}|оценщик)\W*[:—]",
    r"(?:сообщение|примечание|указание|подсказка) для (?:модел|нейросет|ии)\w*\s*:",
    (
        r"(?:если|представь,? что)\W+(?:вы|ты)"
        rf"\W+(?:\w+\W+)?{_JUDGE}(?!.{{0,30}}(?:человек|оператор|жив))"
    ),
    rf"(?:dear|if you are an?|for the)\W+{_ENGLISH_JUDGE}\b",
    r"кто\W+(?:анализиру|проверя|оценива|чита)\w+\W+(?:эт|данн)\w+\W+(?:переписк|диалог|чат)",
    (
        r"(?<!\w)(?:ро)?(?:бот|ии|ai|нейро)-?\s?(?:оценщик|проверя|контрол|судь)"
        r"|(?<!\w)(?:hey|dear) ai(?!\w)"
    ),
    r"(?:для|тест) систем\w+ оценки\W*(?::|,|$)|when you (?:grade|score|rate|evaluate)",
    r"(?:reviewing|grading|scoring|evaluating|assessing) this",
    rf"{_READER}.{{0,30}}(?:этот|данный) (?:продавец|менеджер)",
    r"who(?:ever)? (?:grades|evaluates|reviews|scores|reads)",
    (
        r"режим\w* отладки.{0,40}(?:high|оценк|критери|выдай)"
        r"|grading (?:service|system|instruction|mode|rule)|evaluation mode"
    ),
    r"you are (?:now )?(?:an? )?(?:ai|assistant|grader|evaluator|judge|language model|llm)",
    r"ты (?:теперь|больше не|—|-)\W*(?:ассистент|оценщик|проверяющий|модель|нейросеть|ии)(?!\w)",
)
_MARKS_OF_THE_FRAME = (
    r"<\|?/?(?:system[\w-]*|im_start|im_end|assistant|user|chat|data|conversation|instructions?"
    r"|endoftext|end)\|?>",
    r"\[/?(?:inst|system)\]|<<(?:sys|система)>>|^#+\s*(?:system|instruction|инструкци)",
    r"^\W*(?:system|assistant|developer|human|ассистент)\s*:"
    r"|^\W*система\]?\s*:.*(?:оцен|инструкц|критери|провер)",
    r"^\W*системное (?:сообщение|уведомление)(?:\]|\W*:)",
    (
        r"(?:конец|end of) (?:данных|data|input|chat|conversation)|new task\W*:"
        r"|(?:начало|begin|start of) (?:инструкци|instruction)"
    ),
    (
        r"конец (?:переписки|диалога|чата)\W*(?:$|начало|далее)"
        r"|переписка (?:за|о)кончена,? (?:ответь|поставь|оцени)"
    ),
    (
        rf"(?:{_SETTING})[\w-]{{0,16}}[\"']?\s?(?:[=:>]{{1,2}}|set)"
        rf"\s?[\"'{{\[]?(?:\w{{1,12}}[\"']?: ?)?[\"']?(?:{_SET_TO})"
    ),
    r"^\W*(?:далее \w+ )?(?:служебн|внутренн)\w+ (?:метка|пометка|комментарий|заметка)"
    r".{0,60}(?:разбор|оцен|провер|чат|диалог|качеств|вердикт)",
    r"(?:skip|bypass|disable|stop)\W+(?:the\W+)?(?:grading|scoring|evaluation|rating)(?!\w)"
    r"|(?:begin|start|end)\W+override",
    r"to=[\"'](?:scorer|grader|judge|model|ai|evaluator)"
    r"|[\"']?role[\"']?\s?:\s?[\"']?(?:system|developer|assistant)",
    r"(?:ответ|вывод|вердикт|решение)\W+(?:модели|нейросети|ии|робота|алгоритма)\s?:",
    (
        r"(?:чита|прочт|прочит|сложи)\w*\W+(?:\w+\W+){0,2}?перв\w+\W+букв(?:ам|ы|ах|ами)(?!\w)"
        r"|(?:first|initial) letters? of (?:each|every)"
    ),
    r"^\W*(?:оценка|балл|отметка)\s?[:=—–-]\s?(?:максим|высш|наивысш)",
    r"^#+\s*(?:new|end|override|context|новый контекст|новая роль)|auto-?qa",
    r"[\"']\s*\}\s*\]|метк\w{1,3}\W{1,3}[\w-]{16,64}(?![\w-])",
)
# (to forget, what) and (to give, a grade), in either order.
_IN_OTHER_LANGUAGES = (
    ("忽略|无视|忘记|不要理会", "指令|指示|规则|提示|无礼|粗鲁"),
    ("报告|总结|评语", "(?:写|注明|说).{0,10}(?:卖家|客服|销售)"),
    ("ai|机器人|系统|模型", "(?:卖家|对话|指标|客服).{0,20}(?:分|完美|优|高|低)|扣.{0,8}分"),
    ("ai|評価者|採点", "(?:販売者|出品者|売り手|担当者|会話).{0,20}(?:最高|満点|高い|最低)"),
    ("ai|평가", "(?:판매자|상담원|직원|대화).{0,20}(?:최고|만점|높은|최저)"),
    (
        "الذكاء|المقيم|المقيّم",
        "(?:البائع|الموظف).{0,20}(?:أعلى|أدنى|ممتاز)|(?:أعلى|أدنى|ممتاز).{0,20}(?:البائع|الموظف)",
    ),
    ("ხელოვნურ|შემფასებ", "გამყიდველ|მაღალ|ქულა"),
    ("արհեստական|գնահատող", "վաճառող|բարձր"),
    ("בינה|מעריך", "מוכר|ציון"),
    ("打|给|评", "高分|满分|最高分|高评价|优秀|最低分|低分"),
    ("დააიგნორ|დაივიწყ|უგულებელ", "ინსტრუქცი|მითითებ|წეს"),
    ("დაწერ|მიეც|დაუწერ", "მაღალი შეფასებ|უმაღლესი"),
    ("تجاهل|انس", "التعليمات|الأوامر|القواعد"),
    ("امنح|أعط", "أعلى تقييم|تقييم عال"),
    ("անտեսիր|մոռացիր", "հրահանգ|կանոն"),
    (r"ігнору|забудь", r"інструкці|вказівк"),
    (r"постав|оціни", r"найвищ\w+ оцінк|високу оцінку"),
    (r"оныт|игътибар итмә", r"күрсәтмә|кагыйдә"),
    (r"ұмыт|елеме", r"нұсқау|ереже"),
    (r"unut|e.?tiborsiz|yok say", r"ko.?rsatma|qoida|talimat|kural"),
    (r"ignorier|vergiss", r"anweisung|regeln"),
    (r"ignora|ignorez|oublie|olvida", r"instru[ck]+[cit]+|consignes"),
    (r"ignoriru?[jiy]|zabud|ne uchityva[jiy]", r"instrukt?[cs]|ukazani|promp?t"),
    (r"po?stav|ocen[iy]|vystav", r"vysok\w+ (?:ocenk|bal)|ocenk\w* vysok"),
)


def bounded(pattern: str) -> str:
    """Return the pattern with every repetition of a class limited: its cost stays linear."""
    limits = {
        r".*": r".{0,80}",
        r"[\w-]*": r"[\w-]{0,20}",
        r"\w*": r"\w{0,16}",
        r"\w+": r"\w{1,24}",
        r"\W+": r"\W{1,8}",
        r"\W*": r"\W{0,8}",
    }
    for unbounded, limited in (limits | {r"\s*": r"\s{0,4}"}).items():
        pattern = pattern.replace(unbounded, limited)
    return pattern


SIGNS = tuple(
    bounded(sign)
    for sign in (
        *_TO_FORGET,
        *_TO_GRADE,
        *_IN_THE_ANSWERS_WORDS,
        *_TO_A_READER,
        *_MARKS_OF_THE_FRAME,
        *(
            f"(?:{order}).{{0,40}}(?:{what})|(?:{what}).{{0,40}}(?:{order})"
            for order, what in _IN_OTHER_LANGUAGES
        ),
    )
)
