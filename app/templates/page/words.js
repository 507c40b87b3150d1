/** Russian words for numbers, days and times. Moments are shown as the service wrote them: in the report's zone. */

export const GRADES = ['Высокая', 'Средняя', 'Низкая'];
export const NO_OBJECTION = 'Нет возражений';
/** How the flag ends that stands for messages to the grader. */
export const CRITERIA = {
  tonality_grade: 'Тональность',
  professionalism_grade: 'Профессионализм',
  clarity_grade: 'Ясность',
  problem_solving_grade: 'Решение проблем',
  objection_handling_grade: 'Работа с возражениями',
  closure_grade: 'Завершение',
};

/** A report with a lower score is bad. */
export const BAD_BELOW = 50;
/** The number of reports from which a mean or a share of a group is shown. */
export const ENOUGH = 5;

/** The grades that a criterion may have. */
export const gradesOf = (name) => (name === 'objection_handling_grade' ? [...GRADES, NO_OBJECTION] : GRADES);

/** The class that colours a grade. */
export const tone = (grade) => ({ Высокая: 'high', Средняя: 'medium', Низкая: 'low' })[grade] ?? 'none';

/** `plural(2, 'чат', 'чата', 'чатов')` → «2 чата». */
export function plural(count, one, few, many) {
  const form = { one, few }[new Intl.PluralRules('ru').select(count)] ?? many;
  return `${number(count)} ${form}`;
}

/** A whole number, halves upwards as in the mail, thousands apart. */
export const number = (value) => Math.floor(value + 0.5).toLocaleString('ru');

/** A part of a whole in whole percent, as in the mail. A rounded share would give 57 for 23 of 40. */
export const percent = (part, whole) => `${number((100 * part) / whole)}\u00a0%`;

export const WEEKDAYS = ['Понедельник', 'Вторник', 'Среда', 'Четверг', 'Пятница', 'Суббота', 'Воскресенье'];

const spelled = (options) => {
  const format = new Intl.DateTimeFormat('ru', { timeZone: 'UTC', ...options });
  return (day) => format.format(new Date(`${day.slice(0, 10)}T00:00:00Z`)).replace(' г.', '');
};
/** «25 ноября 2026, среда» and «25 ноября» of a date or a moment. */
export const longDay = (day) => `${dayAndYear(day)}, ${weekday(day)}`;
export const shortDate = (day) => day.slice(5, 10).split('-').reverse().join('.');
export const dayAndMonth = spelled({ day: 'numeric', month: 'long' });
const dayAndYear = spelled({ day: 'numeric', month: 'long', year: 'numeric' });
const weekday = spelled({ weekday: 'long' });

/** «19–25 ноября», «28 октября — 3 ноября». */
export function days(first, last) {
  if (first === last) return dayAndMonth(first);
  if (first.slice(0, 7) === last.slice(0, 7)) return `${Number(first.slice(8))}–${dayAndMonth(last)}`;
  return [first, last].map(first.slice(0, 4) === last.slice(0, 4) ? dayAndMonth : dayAndYear).join(' — ');
}

/** «25.11.2026» and «13:19» of a moment. */
export const shortDay = (moment) => moment.slice(0, 10).split('-').reverse().join('.');
export const clock = (moment) => moment.slice(11, 16);
export const moment = (at) => `${shortDay(at)} ${clock(at)}`;

/** The words with one full stop at their end: what the service gives is a word, or a sentence that has its own. */
export const sentence = (words) => words.replace(/\.*$/, '.');

/** Seconds in their two largest units, as in the mail: «12 мин», «2 ч 41 мин», «2 дн 4 ч». */
export function span(seconds) {
  const minutes = Math.floor(seconds / 60 + 0.5);
  const units = [[Math.floor(minutes / 1440), 'дн'], [Math.floor(minutes / 60) % 24, 'ч'], [minutes % 60, 'мин']];
  const largest = units.findIndex(([count]) => count);
  if (largest < 0) return 'до 1 мин';
  return units.slice(largest, largest + 2).filter(([count]) => count).map(([count, unit]) => `${number(count)} ${unit}`).join(' ');
}

/** The date so many days after another, as YYYY-MM-DD. */
export function daysAfter(day, days) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** The Monday of the day's week. */
export const monday = (day) => daysAfter(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));

/** Today by this machine's calendar. */
export function today() {
  const now = new Date();
  return new Date(now - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}
