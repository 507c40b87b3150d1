/** A chat's messages as bubbles, with the words that a report quotes marked in them. */

import { el } from './dom.js';
import { clock, longDay, moment, tone } from './words.js';

const SIDES = { client: 'Клиент', company: 'Компания', bot: 'Автоответчик', system: 'Авито' };
const WORST_FIRST = ['low', 'medium', 'high', 'none', 'objection'];

/** The list of messages; `onQuote` is called with a criterion's name when somebody asks what a mark stands for. */
export function bubbles(chat, report, onQuote) {
  const quoted = report ? quotesByMessage(report) : new Map();
  const { first, last } = report?.window ?? {};
  const addressing = new Set(report?.grader_addressed_by.map(({ id }) => id));
  const nodes = [];
  let day = '';
  let side = '';
  for (const message of chat.messages.map(withBot)) {
    if (message.sent_at.slice(0, 10) !== day) {
      day = message.sent_at.slice(0, 10);
      side = '';
      nodes.push(el('li.day', {}, longDay(day)));
    }
    if (message.id === first?.id && nodes.length > 1) nodes.push(el('li.border.start', {}, 'отсюда оценено'));
    nodes.push(bubble(message, message.side === side, addressing.has(message.id), quoted.get(message.id) ?? [], chat, onQuote));
    side = message.side;
    if (message.id === last?.id && message.id !== chat.messages.at(-1).id) nodes.push(el('li.border', {}, 'дальше — после отчёта'));
  }
  return el('ol.messages', {}, nodes.length ? nodes : el('li.day', {}, 'Сообщений нет'));
}

/** A bot writes on the company's side under its own name. */
function withBot(message) {
  return message.author_kind === 'bot' ? { ...message, side: 'bot' } : message;
}

/** @returns {Map<number, {text: string, name: string, title: string, tone: string}[]>} */
function quotesByMessage(report) {
  const found = new Map();
  const add = (quote, rest) => found.set(quote.message.id, [...(found.get(quote.message.id) ?? []), { text: quote.text, ...rest }]);
  for (const entry of report.criteria) {
    for (const quote of entry.quotes) add(quote, { name: entry.criterion, title: `${entry.label}: ${entry.grade}`, tone: tone(entry.grade) });
  }
  for (const objection of report.objections) add(objection, { name: 'objection_handling', title: 'Возражение клиента', tone: 'objection' });
  return found;
}

function bubble(message, goesOn, addresses, quotes, chat, onQuote) {
  const name = message.side === 'client' ? chat.client_name : SIDES[message.side];
  const told = [clock(message.sent_at), message.side === 'company' && message.is_read === false && 'не прочитано', message.deleted_at && `удалено автором, замечено ${moment(message.deleted_at)}`];
  return el(`li.message.${message.side}${goesOn ? '.goes-on' : ''}${message.deleted_at ? '.deleted' : ''}`, { id: `message-${message.id}`, tabindex: '-1', title: message.side === 'bot' ? message.author_reason : null },
    el(goesOn ? 'div.unseen' : 'div.author', {}, name),
    el(message.has_text || message.side === 'system' ? 'p' : 'p.wordless', {}, marked(message.text, quotes, onQuote)),
    el('div.told', {}, el('time', { datetime: message.sent_at }, told.filter(Boolean).join(' · '))),
    addresses && el('div.addresses', {}, 'обращается к проверяющему'));
}

/** The text in pieces; a piece under one quote or more is a mark. Quotes hold single spaces where the text may have any. */
function marked(text, quotes, onQuote) {
  const spans = quotes.map((quote) => ({ ...quote, ...place(text, quote.text) })).filter(({ start }) => start >= 0);
  const cuts = [...new Set([0, text.length, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, index) => {
    const start = cuts[index];
    const over = spans.filter((span) => span.start <= start && span.end >= end).sort((a, b) => WORST_FIRST.indexOf(a.tone) - WORST_FIRST.indexOf(b.tone));
    return over.length ? mark(text.slice(start, end), over, onQuote) : text.slice(start, end);
  });
}

function place(text, quote) {
  const words = quote.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&'));
  const found = new RegExp(words.join('\\s+'), 'i').exec(text);
  return found ? { start: found.index, end: found.index + found[0].length } : { start: -1, end: -1 };
}

function mark(words, over, onQuote) {
  const go = () => onQuote(over[0].name);
  const onkeydown = (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    go();
  };
  const title = [...new Set(over.map((quote) => quote.title))].join('; ');
  return el(`mark.${over[0].tone}`, { role: 'button', tabindex: '0', title, 'aria-description': title, onclick: go, onkeydown }, words);
}
