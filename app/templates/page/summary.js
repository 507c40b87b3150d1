/** The figures of the reports that are listed, as the service counts them for the mail. */

import { read } from './api.js';
import { el } from './dom.js';
import { number, percent, plural, span } from './words.js';

const COUNTED_BY = ['start_date', 'end_date', 'mail', 'account'];

/** Whether the service has a summary for such filters. */
export const isCounted = (wanted) => [...wanted.keys()].every((name) => name === 'sort' || COUNTED_BY.includes(name));

/** The summary of the same reports; null where the service has none for such filters. */
export async function readSummary(wanted, signal) {
  if (!isCounted(wanted)) return null;
  const params = new URLSearchParams([...wanted].filter(([name]) => name !== 'sort'));
  try {
    return await read('/reports/summary', { params, signal });
  } catch (error) {
    if (![400, 404].includes(error.status)) throw error;
    return null;
  }
}

/** Four numbers, each with what it is of. */
export function tiles(summary) {
  if (!summary?.reports) return '';
  const { reports, chats, mean_score: mean, bad_reports: bad, bad_share_corrected: corrected, first_answer: first } = summary;
  return el('dl.tiles', {},
    tile('Средняя оценка', number(mean), `из 100, по ${plural(reports, 'отчёту', 'отчётам', 'отчётам')}`),
    tile('Оценка ниже 50', percent(bad, reports), `${number(bad)} из ${plural(reports, 'отчёта', 'отчётов', 'отчётов')}${withCorrection(corrected)}`),
    tile('Первый ответ', first.median_seconds === null ? '—' : span(first.median_seconds), first.p90_seconds === null ? 'нет данных' : `медиана; p90: ${span(first.p90_seconds)}`),
    tile('Отчёты', number(reports), `по ${plural(chats, 'чату', 'чатам', 'чатам')}`));
}

/** The share corrected by blind labels, as the mail shows it. */
function withCorrection(corrected) {
  if (!corrected) return '';
  const [share, low, high] = [corrected.share, corrected.low, corrected.high].map((value) => number(100 * value));
  return `; с поправкой: ${share} % (${low}–${high} %)`;
}

const tile = (label, value, of) => el('div.card', {}, el('dt.soft.small', {}, label), el('dd.value', {}, value), el('dd.soft.small', {}, of));
