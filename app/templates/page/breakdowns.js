/** The figures by account, listing, weekday and hour, and their course over weeks. Groups of few reports are left out. */

import { read } from './api.js';
import { el } from './dom.js';
import { isCounted } from './summary.js';
import { BAD_BELOW, ENOUGH, WEEKDAYS, dayAndMonth, daysAfter, monday, number, percent, plural, shortDate } from './words.js';

const WEEKS = 12;
const MOST_WEEKS = 53;
const FIRST_ROWS = 10;
/** The height of a bar for 100, in pixels. */
const BAR_HEIGHT = 80;
let unfolded = false;

/** The summary of the twelve weeks up to the end of what is listed, or of all its weeks if they are more; null like that of the list. */
export async function readWeeks(wanted, signal) {
  if (!isCounted(wanted)) return null;
  const end = wanted.get('mail') ?? wanted.get('end_date');
  const [usual, longest] = [WEEKS, MOST_WEEKS].map((weeks) => daysAfter(monday(end), -7 * (weeks - 1)));
  const start = [usual, wanted.get('start_date') ?? usual].sort()[0];
  const params = new URLSearchParams({ start_date: start < longest ? longest : start, end_date: end });
  if (wanted.has('account')) params.set('account', wanted.get('account'));
  try {
    return await read('/reports/summary', { params, signal });
  } catch (error) {
    if (![400, 404].includes(error.status)) throw error;
    return null;
  }
}

/** Mean score and share of bad reports for each week, as bars with their numbers. */
export function course(summary) {
  const weeks = summary ? byWeek(summary.days) : [];
  if (weeks.filter(({ reports }) => reports >= ENOUGH).length < 2) return '';
  return el('section.card.course', { 'aria-label': 'По неделям' },
    el('div.charts', {},
      chart('Средняя оценка по неделям', weeks, ({ total, reports }) => total / reports, number, 'high'),
      chart(`Доля оценок ниже ${BAD_BELOW} по неделям`, weeks, ({ bad, reports }) => (100 * bad) / reports, (value) => percent(value, 100), 'low')),
    summary.message && el('p.soft.small', {}, summary.message));
}

/** Weeks from Monday on, without a gap between the first and the last that have reports. */
function byWeek(days) {
  const weeks = new Map();
  if (!days.length) return [];
  for (let start = monday(days[0].date); start <= days.at(-1).date; start = daysAfter(start, 7)) weeks.set(start, { start, reports: 0, total: 0, bad: 0 });
  for (const day of days) {
    const week = weeks.get(monday(day.date));
    week.reports += day.reports;
    week.total += day.reports * day.mean_score;
    week.bad += day.bad_reports;
  }
  return [...weeks.values()];
}

function chart(title, weeks, measure, spell, tone) {
  return el('figure', {}, el('figcaption', {}, title),
    el('ol.bars', {}, weeks.map((week) => {
      const value = week.reports >= ENOUGH ? measure(week) : null;
      const of = `${dayAndMonth(week.start)} — ${dayAndMonth(daysAfter(week.start, 6))}: `;
      const words = value === null ? `мало отчётов (${number(week.reports)})` : `${spell(value)}, ${plural(week.reports, 'отчёт', 'отчёта', 'отчётов')}`;
      return el('li', { title: of + words },
        el('span.unseen', {}, of + words),
        el('span.bar-value', { 'aria-hidden': 'true' }, value === null ? '–' : number(value)),
        el(`span.bar.${tone}`, { 'aria-hidden': 'true', style: `height:${value === null ? 0 : Math.max(2, Math.round(value * BAR_HEIGHT / 100))}px` }),
        el('span.bar-name', { 'aria-hidden': 'true' }, shortDate(week.start)));
    })));
}

/** Tables of the groups with enough reports; they are folded until someone opens them. */
export function breakdowns(summary) {
  if (!summary?.reports) return '';
  const tables = [
    table('Объявления', summary.by_listing.map((group) => [group.title, group]).sort(byMean), others(summary.other_listings)),
    table('Аккаунты', summary.accounts.map((group) => [group.account, { ...group, n: group.reports }])),
    table('Дни недели', summary.by_weekday.map((group) => [WEEKDAYS[group.weekday - 1], group])),
    table('Часы', summary.by_hour.map((group) => [`${String(group.hour).padStart(2, '0')}:00`, group])),
  ].filter(Boolean);
  const none = el('p.soft', {}, `Ни в одной группе нет ${ENOUGH} отчётов: по меньшему числу средние обманчивы.`);
  return el('details.card.breakdowns', { open: unfolded, ontoggle: (event) => { unfolded = event.target.open; } },
    el('summary', {}, 'По объявлениям, аккаунтам, дням недели и часам'),
    tables.length ? [el('p.soft.small', {}, `День и час — когда клиент написал первое сообщение разговора. Показано то, о чём есть ${ENOUGH} отчётов и больше.`), el('div.groups', {}, tables)] : none);
}

const byMean = ([, first], [, second]) => first.mean_score - second.mean_score || second.n - first.n;
const others = ({ listings, n }) => listings > 0 && `И ещё ${plural(listings, 'объявление', 'объявления', 'объявлений')}, о них ${plural(n, 'отчёт', 'отчёта', 'отчётов')}.`;

function table(title, groups, note) {
  const shown = groups.filter(([, { n }]) => n >= ENOUGH);
  if (!shown.length) return null;
  const rows = shown.map(([name, group], place) => row(name, group, place >= FIRST_ROWS && title === 'Объявления'));
  const hidden = rows.filter((node) => node.hidden);
  const more = el('button.link', { type: 'button', onclick: () => {
    hidden.forEach((node) => { node.hidden = false; });
    more.remove();
    hidden[0].querySelector('th').focus();
  } }, `Показать ещё ${number(hidden.length)}`);
  return el('section', {},
    el('table.figures', {},
      el('caption', {}, title),
      el('thead', {}, el('tr', {}, ['', 'Средняя', `Ниже ${BAD_BELOW}`, 'Отчётов'].map((label) => el('th', { scope: 'col' }, label || el('span.unseen', {}, title))))),
      el('tbody', {}, rows)),
    hidden.length > 0 && more,
    note && el('p.soft.small', {}, note));
}

function row(name, { n, mean_score: mean, bad_reports: bad }, hidden) {
  return el('tr', { hidden },
    el('th', { scope: 'row', tabindex: '-1' }, name),
    el('td.mean', {}, number(mean), el('span.track', { 'aria-hidden': 'true' }, el('span.high', { style: `width:${mean}%` }))),
    el('td', {}, percent(bad, n)),
    el('td', {}, number(n)));
}
