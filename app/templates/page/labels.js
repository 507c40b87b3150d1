/** «Разметка»: chats of a weekly sample that a person grades without the model's grades. */

import { ask, read } from './api.js';
import { bubbles } from './bubbles.js';
import { el, failure, say, skeleton } from './dom.js';
import { CRITERIA, days, daysAfter, plural, tone } from './words.js';

let reviewer = '';
let saved = false;

/** Shows a chat of the sample: the one in the address, else the first without a label. */
export async function showLabels(root, query, signal) {
  if (!root.childElementCount) root.append(skeleton(44, 200, 300));
  root.ariaBusy = 'true';
  try {
    const params = new URLSearchParams(query.has('week') ? { week: query.get('week') } : {});
    const sample = await read('/labels', { params, signal });
    const chat = sample.chats.find(({ report_id: id }) => String(id) === query.get('report')) ?? sample.chats.find(({ labelled }) => !labelled) ?? sample.chats[0];
    document.title = 'Разметка — качество чатов';
    root.replaceChildren(toolbar(sample), ...(chat ? [guide(sample), chooser(sample, chat), talk(sample, chat)] : [nothing()]));
    if (saved) root.querySelector('h1').focus({ preventScroll: true });
    saved = false;
    say(chat ? `Открыт чат: ${chat.chat_title}, ${chat.client_name}` : 'За эту неделю отчётов нет');
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(failure(error, () => showLabels(root, query, signal)));
  }
  root.ariaBusy = 'false';
}

const address = (week, report) => `#labels&${new URLSearchParams({ week, ...(report && { report }) })}`;

function toolbar({ week }) {
  return el('div.toolbar', {},
    el('h1', { tabindex: '-1' }, 'Разметка', el('span.soft.span', {}, ` ${days(week, daysAfter(week, 6))}`)),
    el('div.steps', {}, step('‹', 'Предыдущая неделя', daysAfter(week, -7)), step('›', 'Следующая неделя', daysAfter(week, 7))));
}

const step = (sign, label, week) => el('button.quiet.step', { type: 'button', 'aria-label': label, title: label, onclick: () => { location.hash = address(week); } }, sign);

function guide({ chats, labelled, reports }) {
  const left = chats.length - labelled;
  const state = left ? `Оценено ${labelled} из ${chats.length}.` : `Все чаты недели оценены: ${chats.length}. Спасибо!`;
  return el('p.soft', {}, `Случайные чаты недели, всего отчётов ${reports}. Оцените их сами, оценок модели здесь нет. По вашим оценкам письмо поправит долю плохих чатов. `, el('b', {}, state));
}

const nothing = () => el('div.card.empty', {}, el('p.lead', {}, 'Оценивать нечего'), el('p.soft', {}, 'За эту неделю отчётов нет.'));

function chooser({ week, chats }, chosen) {
  return el('nav.steps.sample', { 'aria-label': 'Чаты выборки' }, chats.map((chat, place) => el('a.number', {
    href: address(week, chat.report_id), title: chat.chat_title, 'aria-current': chat === chosen ? 'true' : 'false',
    'aria-label': `Чат ${place + 1}${chat.labelled ? ', оценён' : ''}: ${chat.chat_title}`,
  }, `${place + 1}${chat.labelled ? ' ✓' : ''}`)));
}

function talk(sample, chat) {
  const messages = chat.messages.map((message, id) => ({ id, has_text: true, is_read: null, deleted_at: null, ...message }));
  return el('div.columns', {},
    el('section.card.panel', { 'aria-label': 'Оценки', tabindex: '0' }, form(sample, chat)),
    el('section.talk', { 'aria-label': 'Переписка', tabindex: '0' },
      el('p.lead', {}, chat.chat_title), el('p.soft', {}, plural(messages.length, 'сообщение', 'сообщения', 'сообщений')),
      bubbles({ client_name: chat.client_name, messages }, null, () => {})));
}

function form({ week, criteria }, chat) {
  const error = el('p.wrong', { role: 'alert' });
  const send = async (event) => {
    event.preventDefault();
    error.textContent = '';
    const { comment, reviewer: name, ...grades } = Object.fromEntries([...new FormData(event.target)].map(([field, value]) => [field, value.trim()]));
    reviewer = name;
    try {
      await ask(`/labels/${chat.report_id}`, { method: 'PUT', body: { grades, ...(comment && { comment }), ...(name && { reviewer: name }) } });
      saved = true;
      if (location.hash === address(week)) dispatchEvent(new Event('hashchange'));
      else location.hash = address(week);
    } catch (failed) {
      error.textContent = failed.message;
    }
  };
  return el('form.label', { onsubmit: send },
    chat.labelled && el('p.notice', {}, 'Этот чат уже оценён. Новые оценки заменят прежние.'),
    criteria.map(criterion),
    el('label.field', {}, el('span', {}, 'Пояснение'), el('textarea', { name: 'comment', rows: '2', maxlength: '10000' })),
    el('label.field', {}, el('span', {}, 'Кто оценил'), el('input', { name: 'reviewer', maxlength: '200', value: reviewer })),
    error,
    el('div.steps', {}, el('button', {}, 'Сохранить')));
}

/** The levels are chosen by sight; the questions stand under them for who wants to read them. */
function criterion({ criterion: name, label, sentence, questions, levels }) {
  const field = `${name}_grade`;
  return el('div.criterion', {},
    el('fieldset', {}, el('legend', {}, el('b', {}, CRITERIA[field] ?? label)),
      levels.map(({ grade, text }) => el('label.pill', { title: text }, el('input.unseen', { type: 'radio', name: field, value: grade, required: true }), el(`span.${tone(grade)}`, {}, grade)))),
    el('details.small', {}, el('summary', {}, 'Как оценивать'),
      el('p', {}, sentence),
      el('ol', {}, questions.map((question) => el('li', {}, question))),
      el('ul', {}, levels.map(({ grade, text }) => el('li', {}, el('b', {}, `${grade}: `), text)))));
}
