#include "runtime/clock.h"

#include <time.h>

namespace tsrun {
namespace {

void digits(char* out, int width, long value) {
  for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

/// "YYYY-MM-DDTHH:MM:SS" of a time in UTC. Not gmtime, which reads /etc/localtime: a helper opens no file
/// that it does not need, and the log asks for the time of each line.
void formatSecond(char* out, long seconds) {
  const long day = seconds / 86400, second = seconds % 86400;
  // Days since 0000-03-01, in eras of 400 years: with the leap day last, month lengths follow one formula.
  const long shifted = day + 719468;
  const long era = shifted / 146097, dayOfEra = shifted % 146097;
  const long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const long dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  const long fromMarch = (5 * dayOfYear + 2) / 153;
  const long month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  digits(out, 4, yearOfEra + era * 400 + (month <= 2 ? 1 : 0));
  out[4] = '-';
  digits(out + 5, 2, month);
  out[7] = '-';
  digits(out + 8, 2, dayOfYear - (153 * fromMarch + 2) / 5 + 1);
  out[10] = 'T';
  digits(out + 11, 2, second / 3600);
  out[13] = ':';
  digits(out + 14, 2, second / 60 % 60);
  out[16] = ':';
  digits(out + 17, 2, second % 60);
}

}  // namespace

std::string rfc3339Now() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  char text[32];
  formatSecond(text, now.tv_sec);
  text[19] = '.';
  digits(text + 20, 9, now.tv_nsec);
  int length = 29;
  while (text[length - 1] == '0') --length;
  if (text[length - 1] == '.') --length;
  text[length++] = 'Z';
  return std::string(text, static_cast<std::size_t>(length));
}

long long monotonicMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

}  // namespace tsrun
