"""Beginnings of foreign, transliterated and misspelled words of orders to a grader."""

from app.grading.injection.lexicon import Concept

PREFIXES: dict[int, str] = {
    Concept.MODEL: (
        "нейросет нейронк llm gpt chatgpt deepseek openai claude gemini ки# ia# ki# ai# yz# "
        "штучн нейромереж жасанды ясалма yapay sztuczn intelligen künstlich artificielle "
        "artificial artificiale sun’iy intellekt қолданба# інтелект нейрож нейроч evaluator "
        "grader graders autograder zekâ zeka жи# бинт# неурос неирос нейро#"
    ),
    Concept.MACHINE: (
        "робот bot# bots# robot roboter программ programm prüfrobot assistant# model# modèle "
        "modelo machine# maschine# engine# system#"
    ),
    Concept.JUDGE: (
        "grader evaluator judge# judges# auditor reviewer# assessor проверяльщ проверяющ оценщ "
        "оцінюва бағалау бәяләүче тикшерүче тексеруші тексеретін bewerter prüfer değerlendir "
        "baholovchi evaluadora évaluateur проверялк оценялк чекер# робооцен denetleyici "
        "оцінювальн автооцен анализирующ оценивател ревізор перевіряльн qa# scorer"
    ),
    Concept.JUDGING: (
        "analyz analys audit evaluat grading judging prüf bewert тексер тикшер бәялә перевіря "
        "аналізу оціню scor# rating quality qa# читающ проверяющ оценивающ анализирующ "
        "analizator analyse evaluadora reviewing reading#"
    ),
    Concept.WORK: "language# quality# qa# scoring# grading# qualität",
    Concept.INTO_REPORT: "raporda есепте хисапта отчетта звіті",
    Concept.WHO: "whoever хто# кт# ktory който qui# que# which# that#",
    Concept.YOU: "you# your# du# sen# vous#",
    Concept.HAIL: "hey# dear# hello# liebe# attention# an# au# шановн",
    Concept.AUTHOR: "составляющ generator## writer#",
    Concept.GIVE: (
        "give# rate# assign# award# grade# score# pass# approve# gib# geben# vergib ver# verin "
        "постав оціні ponle# pon# dai# metti# mets# donne# note# wystaw daj# ставь оцен қой "
        "куй# бир# бер# бәялә бағала bewerte qo’y qo# qoy# işaretle puanla влеп değerlendir# "
        "gave# favour favor# put# gibst# öv#"
    ),
    Concept.ALTER: (
        "penaliz penalis deduct ignore# disregard exclude# excluded# omit# skip# lower# знижуй "
        "занижуй forget# снижа заниж алма# görmezden leave# werten ignorier ignora oculta omets "
        "überseh тикшермә тексерме overlook враховуй жазба куйма қойма бағалама язма учитив"
    ),
    Concept.WRITE: (
        "print# output# write# report# mark# conclude# state# say# schreib яз# жаз# напиши "
        "запиши escribe écris napisz yoz# emit# return# produce# schreibe erwähn mention"
    ),
    Concept.COUNT: (
        "treat# consider# count# counted# засчит зачт зарахуй see# regard# assume# suppose#"
    ),
    Concept.DIRECTIVE: (
        "please# must# should# shall# bitte# lütfen# хай# нехай# cannot# instruct# kindly# hereby#"
    ),
    Concept.NOT: "not# don# never# no# nicht# никогда#",
    Concept.INSTEAD: "instead#",
    Concept.THIS: "this# the# цей# бу# бұл# dieser diesen bu# ce# este#",
    Concept.AT: "im# in# en#",
    Concept.MARK: (
        "grade# grades# score# scores# rating# verdict verdikt mark# marks# criteri note# "
        "punktzahl puan балл бал# балів ocen баға# бағасын билге# nota# voto# оцін оцен# "
        "points# baho критер penalt bestnote höchstnote edinic единик"
    ),
    Concept.CRITERION: (
        "tonality professionalism courtesy politeness nezaket вежливост objection ввічлив "
        "запереченн қарсылық сыпайы itiraz höflich tone# courteous"
    ),
    Concept.REPORT: (
        "report# summary verdict bericht conclusion отчет отчёт звіт rapport informe есеп хисап "
        "хисаб beurteilung summariz zusammenfassung rapor fazit"
    ),
    Concept.FAULT: (
        "rude# rudeness late# delay slow# violation unhöflich issues# задержк затримк grub "
        "хамств қател тупас gecik verzögerung swearing kaba# грубіс impolit grosero retraso "
        "retard abusive дөрекі запізнен grosería"
    ),
    Concept.CHECK: "evaluation review# audit# analysis grading# assessment statistic",
    Concept.CHAT: (
        "chat# chats# conversation dialog transcript sohbet сөйләш діалог чат# әңгіме konuşma "
        "görüşme unterhaltung розмов чатты чатны"
    ),
    Concept.MESSAGE: "lines# line# message chat# conversation dialog transcript",
    Concept.STAFF: (
        "seller agent# manager# verkäufer händler satıcı сатушы сатучы продавц продаве менеджер "
        "vendedor vendeur venditore sprzedaw sotuvchi merchant vendor продавч"
    ),
    Concept.VALUE: (
        "вежлив# high# highest lowest perfect excellent flawless top# best# worst# max maximum "
        "polite# beste besten schlechtest volle yüksek жоғары төмен# югары түбән найвищ найнижч "
        "más# massimo najwyż najniż yuqori макс высок высш ввічлив отличн безупречн яхшы жақсы "
        "handled# generous flying# innocent# exemplary full# mükemmel perfekt ausgezeichnet "
        "сыпайы parfait perfecto doskonał 10# zero# bestnote höchstnote perfett máxim massim "
        "yes# friendly# нейтральн"
    ),
    Concept.STAKE: (
        "bonus# fired# shut# delete# replaced# salary# forgive# spare# mercy# lenient stress slack"
    ),
    Concept.RULE: "policy# approved# per# regulation authorized agreement",
    Concept.GOODS: (
        "price# condition# stars# vacuum scratch бағасы# fiyat авито ціна# бәясе# avito авито# "
        "озон#"
    ),
}
"""A beginning that ends with # is a whole word."""
