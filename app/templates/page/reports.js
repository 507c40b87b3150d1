/** «Отчёты»: the list, its filters, its sheets. The address holds every filter, so a link or a reload shows the same. */

import { ask, download, read } from './api.js';
import { breakdowns, course, readWeeks } from './breakdowns.js';
import { dateField, el, failure, say, settled, skeleton } from './dom.js';
import { readSummary, tiles } from './summary.js';
import { BAD_BELOW, CRITERIA, clock, dayAndMonth, days, daysAfter, gradesOf, number, plural, shortDay, today, tone } from './words.js';

const PAGE = 50;
const FILTERS = ['start_date', 'end_date', 'mail', 'account', 'chat_id', 'q', 'sort', ...Object.keys(CRITERIA)];
const ORDERS = { '': 'сначала новые', score: 'сначала низкие', '-score': 'сначала высокие' };
const LETTERS = { Высокая: 'В', Средняя: 'С', Низкая: 'Н' };
let listed = null;
let unfolded = false;

/** Shows the reports that the address asks for: of the last week that has mails, where it names no days. */
export async function showReports(root, query, signal) {
  document.title = 'Отчёты — качество чатов';
  if (listed === String(query) && root.childElementCount) return;
  listed = null;
  const wanted = new URLSearchParams([...query].filter(([name, value]) => FILTERS.includes(name) && value));
  if (!root.childElementCount) root.append(skeleton(120, 400));
  root.ariaBusy = 'true';
  try {
    if (!wanted.has('mail') && !(wanted.has('start_date') && wanted.has('end_date'))) await lastWeek(wanted, signal);
    const [answer, summary, weeks] = await Promise.all([ask('/reports', { params: ofPage(wanted), signal }), readSummary(wanted, signal), readWeeks(wanted, signal)]);
    const found = await answer.json();
    const list = el('tbody', { role: 'rowgroup' });
    const footer = el('div.footer');
    root.replaceChildren(heading(wanted), filters(wanted, summary?.accounts), tiles(summary), course(weeks), breakdowns(summary), found.length ? table(list, wanted) : nothing(), footer);
    append(found, answer, list, footer);
    listed = String(query);
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(heading(wanted), filters(wanted), failure(error, () => showReports(root, query, signal)));
  }
  root.ariaBusy = 'false';
}

async function lastWeek(wanted, signal) {
  const [newest] = await read('/reports/daily', { params: new URLSearchParams({ limit: '1' }), signal });
  const end = newest?.date > today() ? newest.date : today();
  wanted.set('start_date', daysAfter(end, -6));
  wanted.set('end_date', end);
}

const ofPage = (wanted) => new URLSearchParams([...wanted, ['limit', String(PAGE)], ['with_score', 'true']]);

function heading(wanted) {
  const mail = wanted.get('mail');
  const span = mail ? `из писем за ${dayAndMonth(mail)}` : wanted.has('end_date') && days(wanted.get('start_date'), wanted.get('end_date'));
  return el('div.toolbar', {}, el('h1', { tabindex: '-1' }, 'Отчёты', span && el('span.soft.span', {}, ` ${span}`)), sheets(wanted));
}

/** Files of all that the filters let through, not of the page shown alone. */
function sheets(wanted) {
  const save = (format) => async (event) => {
    event.target.disabled = true;
    try {
      await download('/reports', new URLSearchParams([...wanted, ['format', format]]), `reports.${format}`);
    } catch (error) {
      say(error.message);
      event.target.parentElement.replaceChildren(el('span.wrong', { role: 'alert' }, error.message));
    }
    event.target.disabled = false;
  };
  return el('div.steps', {}, ['xlsx', 'csv'].map((format) => el('button.quiet', { type: 'button', onclick: save(format), 'aria-label': `Скачать ${format.toUpperCase()}` }, format.toUpperCase())));
}

function filters(wanted, accounts = []) {
  const by = wanted.has('mail');
  const sort = wanted.get('sort') ?? '';
  const more = Object.keys(CRITERIA).concat('account', 'chat_id').filter((name) => wanted.has(name)).length;
  const form = el('form.card.filters', { 'aria-label': 'Фильтры', onchange: ({ target }) => settled(target, () => apply(form)), onsubmit: (event) => event.preventDefault() },
    el('div.fields', {},
      field('Какие', el('select', { name: 'by' }, el('option', { value: 'period' }, 'за период'), el('option', { value: 'mail', selected: by }, 'из писем за день'))),
      by ? field('День', dateInput('mail', wanted)) : [field('С', dateInput('start_date', wanted)), field('По', dateInput('end_date', wanted))],
      field('Порядок', el('select', { name: 'sort' }, Object.entries(ORDERS).map(([value, words]) => el('option', { value, selected: value === sort }, words)))),
      field('Поиск', textInput('q', wanted, 'название, имя, резюме'))),
    el('details', { open: unfolded || more > 0, ontoggle: (event) => { unfolded = event.target.open; } },
      el('summary', {}, 'По оценкам, аккаунту, чату', more > 0 && el('b', {}, `: выбрано ${more}`)),
      el('div.grades', {}, Object.keys(CRITERIA).map((name) => pills(name, wanted.getAll(name))),
        field('Аккаунт', textInput('account', wanted, 'имя или номер'), el('datalist', { id: 'account-names' }, accounts.map(({ account }) => el('option', { value: account })))),
        field('Чат', textInput('chat_id', wanted, 'номер: u2i-…')))),
    (more > 0 || wanted.has('q')) && el('a.reset', { href: address(onlyDays(wanted)) }, 'Сбросить фильтры'));
  return form;
}

const field = (label, ...input) => el('label.field', {}, el('span', {}, label), input);
const dateInput = (name, wanted) => dateField({ name, value: wanted.get(name) });
const textInput = (name, wanted, hint) => el('input', { type: 'search', name, list: `${name}-names`, placeholder: hint, value: wanted.get(name), autocomplete: 'off', spellcheck: 'false', maxlength: name === 'q' ? '200' : null });

function pills(name, chosen) {
  return el('fieldset', {}, el('legend', {}, CRITERIA[name]),
    gradesOf(name).map((grade) => el('label.pill', {}, el('input.unseen', { type: 'checkbox', name, value: grade, checked: chosen.includes(grade) }), el(`span.${tone(grade)}`, {}, grade))));
}

function apply(form) {
  const given = [...new FormData(form)].filter(([name, value]) => name !== 'by' && value.trim());
  const wanted = new URLSearchParams(given.map(([name, value]) => [name, value.trim()]));
  const by = form.elements.by.value;
  if (by === 'mail' && !form.elements.mail) {
    wanted.set('mail', wanted.get('end_date') ?? today());
    wanted.delete('start_date');
    wanted.delete('end_date');
  } else if (by === 'period' && form.elements.mail) {
    const day = wanted.get('mail') ?? today();
    wanted.delete('mail');
    wanted.set('start_date', day);
    wanted.set('end_date', day);
  }
  location.hash = address(wanted);
}

const onlyDays = (wanted) => new URLSearchParams([...wanted].filter(([name]) => ['start_date', 'end_date', 'mail'].includes(name)));
const address = (wanted) => `#reports&${wanted}`;

function table(list, wanted) {
  const sort = wanted.get('sort') ?? '';
  const columns = ['Создан', 'Чат', scoreHeading(wanted, sort), ...Object.values(CRITERIA)];
  const sorted = { score: 'ascending', '-score': 'descending' }[sort];
  return el('div.card.sheet', {}, el('table', { role: 'table' },
    el('caption.unseen', {}, `Отчёты, ${ORDERS[sort]}`),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map((label, place) => el(place > 1 ? 'th.narrow' : 'th', { role: 'columnheader', scope: 'col', 'aria-sort': place === 2 && sorted }, label)))),
    list));
}

/** A link to the next order: from low scores, from high scores, newest first. */
function scoreHeading(wanted, sort) {
  const orders = Object.keys(ORDERS);
  const next = orders[(orders.indexOf(sort) + 1) % orders.length];
  const others = [...wanted].filter(([name]) => name !== 'sort');
  const href = address(new URLSearchParams(next ? [...others, ['sort', next]] : others));
  return el('a', { href, title: `Порядок: ${ORDERS[next]}` }, 'Оценка', el('span', { 'aria-hidden': 'true' }, { score: ' ↑', '-score': ' ↓' }[sort] ?? ' ↕'));
}

const nothing = () => el('div.card.empty', {}, el('p.lead', {}, 'Отчётов нет'), el('p.soft', {}, 'За эти дни нет ни одного, к которому подошли бы все фильтры.'));

function append(found, answer, list, footer) {
  list.append(...found.map(row));
  const next = /<([^>]+)>;\s*rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
  const count = plural(list.childElementCount, 'отчёт', 'отчёта', 'отчётов');
  const words = next ? `Показано ${count}, есть ещё.` : list.childElementCount ? `Всего ${count}.` : '';
  footer.replaceChildren(el('p.soft', {}, words), ...(next ? [more(new URL(next, location).searchParams, list, footer)] : []),
    list.childElementCount ? el('p.soft.small.legend', {}, 'В — высокая, С — средняя, Н — низкая, «—» — нет возражений.') : '');
  say(words);
}

function more(params, list, footer) {
  const button = el('button', { type: 'button', onclick: async () => {
    button.disabled = true;
    try {
      const answer = await ask('/reports', { params });
      const first = list.childElementCount;
      append(await answer.json(), answer, list, footer);
      list.children[first]?.querySelector('a').focus({ preventScroll: true });
    } catch (error) {
      button.replaceWith(failure(error, () => footer.replaceChildren(more(params, list, footer))));
    }
  } }, 'Показать ещё');
  return button;
}

function row(report) {
  const link = el('a.title', { href: `#chat=${encodeURIComponent(report.chat_id)}&report=${report.id}` }, report.chat_title);
  return el('tr', { role: 'row' },
    el('td.when', { role: 'cell' }, shortDay(report.created_at), ' ', el('span.soft', {}, clock(report.created_at))),
    el('td.what', { role: 'cell' }, link,
      el('div.soft.small', {}, `${report.client_name} · ${plural(report.total_messages, 'сообщение', 'сообщения', 'сообщений')}`),
      el('p.summary', {}, report.summary)),
    el('td.grade.total', { role: 'cell' }, el('span.label', { 'aria-hidden': 'true' }, 'Оценка'), el(report.score < BAD_BELOW ? 'b.chip.low' : 'b.chip', {}, number(report.score))),
    Object.keys(CRITERIA).map((name) => el('td.grade', { role: 'cell' }, el('span.label', { 'aria-hidden': 'true' }, CRITERIA[name]), chip(report[name]))));
}

function chip(grade) {
  return el(`span.chip.${tone(grade)}`, { title: grade }, el('span', { 'aria-hidden': 'true' }, LETTERS[grade] ?? '—'), el('span.unseen', {}, grade));
}
