/** «День»: the mail of a date, in a frame that runs nothing. */

import { ApiError, ask, read } from './api.js';
import { dateField, el, failure, say, settled, skeleton } from './dom.js';
import { longDay, plural } from './words.js';

const AVITO_CHAT = /^https:\/\/www\.avito\.ru\/profile\/messenger\/channel\/([^/?#]+)$/;

/** Shows the date that is asked for, else the last one that has a mail. */
export async function showDay(root, query, signal) {
  if (!root.childElementCount) root.append(skeleton(44, 560));
  root.ariaBusy = 'true';
  try {
    const days = await read('/reports/daily', { params: new URLSearchParams({ limit: '366' }), signal });
    const day = query.get('day') || days[0]?.date;
    if (day && !isDate(day)) throw new ApiError(400, `${day} — не дата: нужна ГГГГ-ММ-ДД.`);
    const content = day ? await ofDay(day, query.get('page'), signal) : [nothing('Писем ещё не было.', 'Первое составит ежедневный запуск.')];
    document.title = day ? `${longDay(day)} — качество чатов` : 'Качество чатов Авито';
    root.replaceChildren(toolbar(day, days), ...content);
  } catch (error) {
    if (signal.aborted) return;
    root.replaceChildren(failure(error, () => showDay(root, query, signal)));
  }
  root.ariaBusy = 'false';
}

function toolbar(day, days) {
  const known = days.find((entry) => entry.date === day);
  const older = days.find((entry) => entry.date < (day ?? ''));
  const newer = days.findLast((entry) => entry.date > (day ?? ''));
  const input = dateField({ id: 'day-date', value: day, onchange: () => settled(input, () => go(input.value)) });
  return el('div.toolbar', {},
    el('h1.unseen', { tabindex: '-1' }, day ? longDay(day) : 'День'),
    el('div.steps', {},
      step('‹', 'Предыдущий день с письмом', older), el('label.unseen', { for: 'day-date' }, 'День'), input,
      step('›', 'Следующий день с письмом', newer)),
    known && el('a.more', { href: `#reports&mail=${day}` }, known.reports ? `${plural(known.reports, 'отчёт', 'отчёта', 'отчётов')} списком` : 'Отчётов нет'));
}

function step(sign, label, entry) {
  return el('button.quiet.step', { type: 'button', 'aria-label': label, title: label, disabled: !entry, onclick: () => go(entry.date) }, sign);
}

const isDate = (day) => /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(day));

const go = (day) => { location.hash = `#day=${day}`; };

async function ofDay(day, page, signal) {
  try {
    const params = new URLSearchParams(page ? { page } : {});
    const answer = await ask(`/reports/daily/${encodeURIComponent(day)}`, { params, signal });
    const html = await answer.text();
    say(`Показано письмо за ${longDay(day)}`);
    return [frame(html, `Письмо за ${longDay(day)}`), pages(day, answer.headers.get('link') ?? '')];
  } catch (error) {
    if (error.status !== 404 && error.status !== 400) throw error;
    return [nothing('Письма нет', error.message)];
  }
}

/** The neighbouring pages of the waiting buyers, where they need several. */
function pages(day, links) {
  const found = [['prev', '‹ Ждут дольше'], ['next', 'Ждут меньше ›']].map(([relation, words]) => {
    const address = new RegExp(`<([^>]+)>;\\s*rel="${relation}"`).exec(links)?.[1];
    const page = address && new URL(address, location).searchParams.get('page');
    return page && el('a.more', { href: `#day=${day}&page=${page}` }, words);
  });
  return found.some(Boolean) ? el('nav.toolbar', { 'aria-label': 'Страницы ждущих ответа' }, found) : '';
}

const nothing = (title, words) => el('div.card.empty', {}, el('p.lead', {}, title), el('p.soft', {}, words));

/** No script runs in it, whatever a chat's text might have smuggled into the mail; its chats open in this page. */
function frame(html, title) {
  const node = el('iframe.mail', { title, sandbox: 'allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation' });
  node.srcdoc = withChatsHere(html);
  const fit = () => {
    const inside = node.contentDocument?.documentElement;
    if (inside) node.style.height = `${inside.getBoundingClientRect().height}px`;
  };
  node.addEventListener('load', fit);
  new ResizeObserver(fit).observe(node);
  return node;
}

/** The mail names the report at the end of the cell of a chat's link; a title before it may have a number too. Without it the chat opens with its newest. */
function reportBeside(link) {
  const cell = link.closest('td');
  const named = cell?.querySelectorAll('a').length === 1 && /.*отчёт\s№\s(\d+)/s.exec(cell.textContent);
  return named ? `&report=${named[1]}` : '';
}

function withChatsHere(html) {
  const page = new DOMParser().parseFromString(html, 'text/html');
  for (const link of page.querySelectorAll('a[href]')) {
    const chat = AVITO_CHAT.exec(link.href);
    link.target = chat ? '_top' : '_blank';
    link.rel = 'noopener noreferrer';
    if (chat) link.setAttribute('href', `${location.pathname}#chat=${chat[1]}${reportBeside(link)}`);
  }
  return `<!DOCTYPE html>${page.documentElement.outerHTML}`;
}
