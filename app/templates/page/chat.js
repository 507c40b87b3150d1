/** «Чат»: a report with its grounds beside the messages that they stand in. */

import { ApiError, read } from './api.js';
import { bubbles } from './bubbles.js';
import { el, failure, outside, reveal, say, skeleton } from './dom.js';
import { reviewForm } from './review.js';
import { clock, moment, number, plural, sentence, shortDay, span, tone } from './words.js';

const ANSWERS = { y: ['да', '✓'], n: ['нет', '✕'], na: ['не применимо', '–'] };

/** Shows a chat with the report that is asked for, else with its newest one. */
export async function showChat(root, query, signal) {
  const again = () => showChat(root, query, signal);
  if (root.dataset.chat !== query.get('chat')) root.replaceChildren(back(), skeleton(60, 200, 300));
  root.dataset.chat = query.get('chat');
  root.ariaBusy = 'true';
  try {
    let report = query.has('report') ? await read(`/reports/${encodeURIComponent(query.get('report'))}`, { signal }) : null;
    if (report && report.chat_id !== query.get('chat')) throw new ApiError(404, `Отчёт № ${report.id} — о другом чате: проверьте ссылку.`);
    const account = query.get('account') ?? report?.account_id;
    const params = new URLSearchParams(account ? { account } : {});
    const chat = await read(`/chats/${encodeURIComponent(query.get('chat'))}`, { params, signal });
    if (!report && chat.reports.length) report = await read(`/reports/${chat.reports[0].id}`, { signal });
    document.title = `${chat.title} — ${chat.client_name}`;
    root.replaceChildren(header(chat, report), columns(chat, report, again));
    const start = root.querySelector('.start');
    if (start) start.closest('.talk').scrollTop = start.offsetTop - 8;
    say(`Открыт чат: ${chat.title}, ${chat.client_name}`);
  } catch (error) {
    if (signal.aborted) return;
    const which = error.fields.some(({ field }) => field === 'account');
    root.replaceChildren(back(), failure(error, again), which ? accountForm(query) : '');
  }
  root.ariaBusy = 'false';
}

const back = () => el('button.quiet.back', { type: 'button', onclick: () => dispatchEvent(new Event('close-chat')) }, '← Назад');

function accountForm(query) {
  const input = el('input', { required: true, 'aria-label': 'Аккаунт' });
  return el('form.steps', { onsubmit: (event) => {
    event.preventDefault();
    query.set('account', input.value.trim());
    location.hash = `#${query}`;
  } }, input, el('button', {}, 'Открыть'));
}

function header(chat, report) {
  return el('header.chat-head', {}, back(),
    el('div.names', {},
      el('h1', { tabindex: '-1' }, chat.title),
      el('p.links', {},
        el('span.soft', {}, [chat.client_name, chat.account].filter(Boolean).join(' · ')),
        outside(`https://www.avito.ru/profile/messenger/channel/${encodeURIComponent(chat.id)}`, 'Чат на Авито'),
        chat.url && outside(chat.url, 'Объявление')),
      chat.listing && listing(chat.listing)),
    chat.reports.length > 1 && chooser(chat, report));
}

const STATUSES = { active: 'опубликовано', old: 'срок истёк', removed: 'удалено', blocked: 'заблокировано', rejected: 'отклонено' };

/** What is offered; its title is the heading above. */
function listing({ price, category, address, status, read_at: at }) {
  const parts = [price, category, address, status && (STATUSES[status] ?? status), at && `прочитано ${moment(at)}`];
  return el('p.soft.small.listing', {}, parts.filter(Boolean).join(' · '));
}

function chooser(chat, report) {
  const select = el('select', { onchange: () => { location.hash = `#chat=${encodeURIComponent(chat.id)}&report=${select.value}`; } },
    chat.reports.map((one) => el('option', { value: one.id, selected: one.id === report?.id }, `№ ${one.id} от ${moment(one.created_at)}`)));
  return el('label.field', {}, el('span', {}, `Отчёт, всего ${chat.reports.length}`), select);
}

function columns(chat, report, again) {
  return el('div.columns', {},
    el('section.card.panel', { 'aria-label': 'Отчёт', tabindex: '0' }, report ? panel(chat, report, again) : ungraded(chat)),
    el('section.talk', { 'aria-label': 'Переписка', tabindex: '0' },
      !chat.history_complete && el('p.notice', {}, 'Переписка не с самого начала: остального Авито не отдаёт, или оно ещё не прочитано.'),
      report && chat.outcome === 'waiting' && el('p.notice', {}, 'Последние сообщения ещё не оценены.'),
      chat.unanswered_since && el('p.notice', {}, unanswered(chat)),
      chat.missed_call_at && el('p.notice', {}, `Пропущенный звонок клиента ${moment(chat.missed_call_at)}: перезвоните.`),
      bubbles(chat, report, toCriterion)));
}

function unanswered({ waiting_since: waiting, unanswered_since: since, answered_by: by }) {
  const answered = { bot: ' Ответил автоответчик, человек — нет.', assistant: ' Ответил ассистент Авито, человек — нет.' }[by] ?? '';
  return waiting ? `Клиент ждёт ответа с ${moment(waiting)}.${answered}` : `Клиент остался без ответа с ${moment(since)}.${answered} Он писал больше 7 дней назад, и в письме его среди ждущих уже нет.`;
}

function ungraded(chat) {
  const words = { skipped: 'Чат не оценён', failed: 'Чат не удалось оценить', waiting: 'Чат ждёт оценки' }[chat.outcome] ?? 'Люди в чате не писали';
  return [
    el('p.lead', {}, words),
    chat.outcome_reason && el('p.soft', {}, sentence(`Причина: ${chat.outcome_reason}`)),
    chat.model_answers.map(modelAnswer),
  ];
}

/** What the model answered when the chat could not be graded. */
function modelAnswer({ asked_at: at, complaint, answer }) {
  return el('details', {},
    el('summary', {}, `Ответ модели от ${moment(at)}`),
    complaint && el('p.soft.small', {}, `Перед ним модели указано: ${complaint}`),
    el('pre.raw', {}, answer));
}

function panel(chat, report, again) {
  return [
    el('div.score', {},
      el('div', {}, el('b', {}, number(report.score)), ' из 100'),
      report.review && el('div', {}, el('b', {}, number(report.review.score)), ' после проверки'),
      el('p.soft.small', {}, `Отчёт № ${report.id} от ${moment(report.created_at)}${report.kind === 'regrade' ? ', повторная оценка' : ''}. Оценено ${plural(report.window.count, 'сообщение', 'сообщения', 'сообщений')}.`)),
    report.critical.map(critical),
    warnings(report.flags.filter(({ code }) => code !== 'critical'), report.grader_addressed_by),
    el('p', {}, report.summary),
    times(report.answer_times),
    report.contradictions.map(contradiction),
    contact(report.contact),
    el('h2', {}, 'Оценки'),
    report.criteria.map((entry) => criterion(entry, report.review)),
    report.objections.length > 0 && [el('h2', {}, report.objections.length > 1 ? 'Возражения клиента' : 'Возражение клиента'), report.objections.map(objection)],
    report.advice.length > 0 && [el('h2', {}, 'Советы'), el('ol.advice', {}, report.advice.map(advice))],
    'review' in report && reviewForm(report, again),
    grounds(report),
  ];
}

/** The flag of the messages that speak to the grader leads to the first of them; old reports have not kept which they are. */
function warnings(flags, [first] = []) {
  const words = ({ code, label }) => (first && code === 'addresses_grader'
    ? el('button.link', { type: 'button', title: 'Показать в переписке', onclick: () => toMessage(first.id) }, label) : label);
  return flags.length > 0 && el('ul.flags', { 'aria-label': 'На что взглянуть' }, flags.map((flag) => el('li', {}, words(flag))));
}

function times(times) {
  if (!times) return null;
  const parts = [
    times.first_answer_seconds !== null ? `первый ответ — ${span(times.first_answer_seconds)}` : 'ответа не было',
    times.longest_wait_seconds !== null && `самое долгое — ${span(times.longest_wait_seconds)}`,
    times.waiting_since && `к моменту отчёта ждал с ${moment(times.waiting_since)}`,
  ];
  return el('p.soft', {}, `Ожидание клиента: ${parts.filter(Boolean).join(', ')}.`);
}

function contact(found) {
  const words = { buyer: 'Клиент оставил контакт', seller: 'Продавец дал контакт', meeting: 'Договорились о встрече' };
  return found && el('button.link', { type: 'button', onclick: () => toMessage(found.message_id) }, words[found.kind]);
}

/** The seller's words that differ from the listing or the company's facts. */
function contradiction({ kind, said, source }) {
  const what = { price: 'Цена', size: 'Размер', year: 'Год' }[kind];
  return el('button.quote.low', { type: 'button', title: 'Показать в переписке', onclick: () => toMessage(said.message_id) },
    `${what}: «${said.quote}»`, el('span.soft.small', {}, ` а в объявлении или данных компании «${source.quote}»`));
}

function criterion(entry, review) {
  const said = review?.given.includes(`${entry.criterion}_grade`) ? review.grades[`${entry.criterion}_grade`] : null;
  return el('details.criterion', { id: `criterion-${entry.criterion}`, open: matchMedia('(min-width: 900px)').matches && ['Средняя', 'Низкая'].includes(entry.grade) },
    el('summary', {}, el('span', {}, entry.label), el(`span.chip.${tone(entry.grade)}`, {}, entry.grade), said && el(`span.chip.${tone(said)}`, {}, `человек: ${said}`)),
    entry.limited_by.map(({ label }) => el('p', {}, el('b', {}, sentence(`Оценку ограничила критическая ошибка: ${label}`)))),
    entry.reasoning && el('p.soft', {}, entry.reasoning),
    el('ul.checks', {}, entry.checks.map(check)),
    entry.quotes.map((one) => quote(one, tone(entry.grade))),
    warnings(entry.flags),
    entry.model_grade !== entry.grade && el('p.soft.small', {}, `Сама модель назвала: ${entry.model_grade}.`));
}

/** The first sentence of what it asks; what follows in the rubric speaks to the model. */
function check({ id, text, answer }) {
  const [words, sign] = ANSWERS[answer];
  return el(`li.${answer}`, { title: text }, el('span.sign', { 'aria-hidden': 'true' }, sign), el('span', {}, /^.*?\.(?=\s|$)/s.exec(text ?? '')?.[0] ?? text ?? id, el('span.unseen', {}, ` — ${words}`)));
}

function objection(found) {
  return [quote(found, 'objection'), found.answered === false && el('p.soft.small', {}, 'Осталось без ответа.')];
}

function critical(found) {
  return el('div.critical', {}, el('b', {}, sentence(`Критическая ошибка: ${found.label}`)), quote(found, 'low'));
}

function quote({ shown, message }, kind) {
  return el(`button.quote.${kind}`, { type: 'button', title: 'Показать в переписке', onclick: () => toMessage(message.id) },
    `«${shown}»`, el('span.soft.small', {}, ` ${shortDay(message.sent_at)} ${clock(message.sent_at)}`));
}

function advice({ text, message_id: place }) {
  const here = place && el('button.link', { type: 'button', onclick: () => toMessage(place) }, 'к сообщению');
  return el('li', {}, text, ' ', here);
}

function grounds({ model, prompt_version: version, tokens, cost_usd: cost, mail }) {
  const spent = number(tokens.prompt_hit + tokens.prompt_miss + tokens.completion);
  const price = cost === null ? '' : `, ${cost.toLocaleString('ru', { maximumSignificantDigits: 2 })} $`;
  const sent = mail ? `Письмо за ${shortDay(mail.date)}: ${mail.deliveries.filter((one) => one.state === 'sent').length} из ${plural(mail.deliveries.length, 'получателя', 'получателей', 'получателей')}.` : 'Ещё не уходил в письме.';
  return el('p.soft.small.grounds', {}, `Модель ${model}, критерии ${version}, токенов ${spent}${price}. ${sent}`);
}

function toMessage(id) {
  const node = document.getElementById(`message-${id}`);
  if (node) reveal(node);
}

function toCriterion(name) {
  const node = document.getElementById(`criterion-${name}`);
  if (!node) return;
  node.open = true;
  reveal(node.querySelector('summary'));
}
