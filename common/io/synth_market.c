/* The made-up market, one quote at a time.
 *
 * Between two quotes time passes by an exponential waiting time at the present intensity, thinned because the
 * excitation decays meanwhile; the volatility factors move by an Euler step of that length. Steps are at most
 * STEP_MAX seconds, so the season and the factors are followed when nothing happens. */
#include "common/io/synth_market.h"

#include <math.h>

#include "common/core/civil.h"
#include "common/core/elementary.h"
#include "common/core/memory.h"
#include "common/core/philox.h"
#include "common/core/timezone.h"

enum { LONDON, NEW_YORK, TOKYO, CITIES, HOUR = 3600 };

static const double STEP_MAX = 10.0; /* seconds */

/* Arrivals: with the season's mean near 1 these give some 55,000 quotes a day. */
static const double BASE_RATE = 0.34;        /* per second */
static const double EXCITATION = 0.15;       /* added to the rate by each quote ... */
static const double EXCITATION_DECAY = 0.25; /* ... and lost at this rate per second: 0.6 followers a quote */

/* Volatility: 0.45 % a day on average; the logarithm has a factor of 20 minutes and one of 1.5 days. */
static const double VOLATILITY = 0.0045 / 293.93876913398137; /* sqrt(86400): per square root of a second */
static const double FAST_TIME = 1200.0, FAST_SIZE = 0.40;
static const double SLOW_TIME = 129600.0, SLOW_SIZE = 0.30;

static const double PRICE_START = 108500.0; /* points */
static const double SPREAD_NORMAL = 5.0;    /* points */
static const double WEEKEND_GAP = 12.0;     /* points, standard deviation */
static const double NEWS_VOLATILITY_DECAY = 1.0 / 480.0, NEWS_SPREAD_DECAY = 1.0 / 45.0;

/* Rates of what is wrong with real feeds. */
static const double CROSSED_RATE = 0.0004, ZERO_SPREAD_RATE = 0.0015, DUPLICATE_RATE = 0.0003;

/* Activity by the local hour, in hundredths; between the hours it is a straight line. */
static const uint8_t activity[CITIES][24] = {
    [LONDON] = {0, 0, 0, 0, 0, 2, 12, 45, 110, 105, 85, 70, 60, 62, 75, 80, 70, 40, 15, 5, 0, 0, 0, 0},
    [NEW_YORK] = {0, 0, 0, 0, 0, 0, 5, 20, 85, 110, 115, 85, 60, 45, 42, 40, 25, 3, 2, 2, 0, 0, 0, 0},
    [TOKYO] = {0, 0, 0, 0, 0, 0, 5, 12, 30, 45, 40, 28, 22, 25, 30, 28, 20, 12, 5, 0, 0, 0, 0, 0},
};
static const double QUIET_ACTIVITY = 0.12;

/* When figures come out, on the clock of a city: chance of one on a trading day, and its size. */
static const struct {
  int city;
  int32_t minute; /* of the local day */
  double chance, size;
} releases[] = {
    {LONDON, 420, 0.25, 0.7},   {LONDON, 570, 0.35, 0.6},   {NEW_YORK, 510, 0.55, 1.3},
    {NEW_YORK, 600, 0.40, 0.8}, {NEW_YORK, 840, 0.12, 1.6}, {TOKYO, 530, 0.20, 0.5},
};
enum { RELEASES = sizeof releases / sizeof *releases };

struct fmlp_synth_market {
  fmlp_timezone *zone[CITIES];
  fmlp_timezone_period period[CITIES];
  int64_t next_release[RELEASES]; /* UTC seconds */
  uint64_t key, draw;
  fmlp_philox_block words;
  double spare_normal;
  int has_spare;
  double time; /* UTC seconds */
  int64_t last_ms;
  double excitation;
  double fast, slow;        /* factors of the log volatility */
  double news, news_spread; /* decaying, 0 without news */
  double price;             /* efficient price, points */
  double spread;            /* points, before rounding */
  fmlp_synth_tick previous;
  int repeat; /* the next quote is the previous one again */
};

/* Randomness. */

static uint32_t random_word(fmlp_synth_market *market) {
  uint64_t word = market->draw++ % FMLP_PHILOX_WORDS;
  if (word == 0) market->words = fmlp_philox(market->key, market->draw / FMLP_PHILOX_WORDS, 0);
  return market->words.word[word];
}

static double random_unit(fmlp_synth_market *market) {
  return fmlp_philox_unit(random_word(market));
}

/* Standard normal by Marsaglia's polar method, which needs a logarithm and a square root only. */
static double random_normal(fmlp_synth_market *market) {
  if (market->has_spare) {
    market->has_spare = 0;
    return market->spare_normal;
  }
  double x = 0, y = 0, square = 0;
  do {
    x = 2.0 * random_unit(market) - 1.0;
    y = 2.0 * random_unit(market) - 1.0;
    square = x * x + y * y;
  } while (square >= 1.0 || square == 0.0);
  double scale = sqrt(-2.0 * fmlp_log(square) / square);
  market->spare_normal = y * scale;
  market->has_spare = 1;
  return x * scale;
}

/* The clock. */

static int64_t local_seconds(fmlp_synth_market *market, int city, int64_t utc) {
  fmlp_timezone_period *period = &market->period[city];
  if (utc < period->first || utc >= period->last) {
    *period = fmlp_timezone_period_at(market->zone[city], utc);
  }
  return utc + period->offset;
}

/* Seconds after local midnight, fraction kept; `*day` is the local day. */
static double local_clock(fmlp_synth_market *market, int city, int64_t *day) {
  int64_t utc = (int64_t)market->time;
  int64_t local = local_seconds(market, city, utc);
  *day = fmlp_floor_divide(local, FMLP_SECONDS_PER_DAY);
  return (double)(local - *day * FMLP_SECONDS_PER_DAY) + (market->time - (double)utc);
}

/* Friday 17:00 to Sunday 17:00 New York. */
static int is_weekend(int64_t day, double clock) {
  int32_t weekday = fmlp_weekday(day);
  return weekday == 6 || (weekday == 5 && clock >= 17.0 * HOUR) || (weekday == 0 && clock < 17.0 * HOUR);
}

/* UTC seconds of the Sunday opening after the weekend of New York's local `day`. */
static int64_t opening_after(const fmlp_synth_market *market, int64_t day) {
  while (fmlp_weekday(day) != 0) day++;
  return fmlp_timezone_to_utc(market->zone[NEW_YORK], day * FMLP_SECONDS_PER_DAY + (int64_t)17 * HOUR);
}

static double interpolate(const uint8_t table[24], double clock) {
  int hour = (int)(clock / HOUR);
  double rest = clock / HOUR - hour;
  double here = table[hour], there = table[(hour + 1) % 24];
  return (here + (there - here) * rest) * 0.01;
}

/* The season: about 1 on average over a trading day. */
static double season_at(fmlp_synth_market *market, double clock[CITIES]) {
  double season = QUIET_ACTIVITY;
  for (int city = 0; city < CITIES; city++) {
    int64_t day = 0;
    clock[city] = local_clock(market, city, &day);
    int32_t weekday = fmlp_weekday(day);
    if (weekday != 0 && weekday != 6) season += interpolate(activity[city], clock[city]);
  }
  return season;
}

/* How much wider the spread is around 17:00 New York, when banks roll their positions over. */
static double rollover_at(double new_york_clock) {
  double minutes = (new_york_clock - 17.0 * HOUR) / 60.0;
  if (minutes < -6.0 || minutes > 75.0) return 1.0;
  if (minutes < 0.0) return 1.0 + 5.0 * (minutes + 6.0) / 6.0;
  return minutes < 12.0 ? 6.0 : 1.0 + 5.0 * (75.0 - minutes) / 63.0;
}

/* News. */

/* The first time strictly after `utc` at which release `r` is due. */
static int64_t release_after(const fmlp_synth_market *market, int r, int64_t utc) {
  const fmlp_timezone *zone = market->zone[releases[r].city];
  int64_t day = fmlp_floor_divide(utc + fmlp_timezone_offset(zone, utc), FMLP_SECONDS_PER_DAY);
  for (;; day++) {
    int64_t at = fmlp_timezone_to_utc(zone, day * FMLP_SECONDS_PER_DAY + (int64_t)releases[r].minute * 60);
    if (at > utc && fmlp_weekday(day) != 0 && fmlp_weekday(day) != 6) return at;
  }
}

static void hear_news(fmlp_synth_market *market) {
  for (int r = 0; r < RELEASES; r++) {
    if (market->time < (double)market->next_release[r]) continue;
    market->next_release[r] = release_after(market, r, (int64_t)market->time);
    if (random_unit(market) > releases[r].chance) continue;
    double size = releases[r].size * (0.4 + random_unit(market) * 1.2);
    market->price *= 1.0 + random_normal(market) * size * 0.0004;
    market->news += size * 1.5;
    market->news_spread += size * 4.0;
    market->excitation += size * 6.0;
  }
}

/* Moving on. */

static void let_time_pass(fmlp_synth_market *market, double seconds, double season) {
  market->time += seconds;
  market->excitation *= fmlp_exp(-EXCITATION_DECAY * seconds);
  market->fast += (0.0 - market->fast) * (seconds / FAST_TIME) +
                  FAST_SIZE * sqrt(2.0 * seconds / FAST_TIME) * random_normal(market);
  market->slow += (0.0 - market->slow) * (seconds / SLOW_TIME) +
                  SLOW_SIZE * sqrt(2.0 * seconds / SLOW_TIME) * random_normal(market);
  if (market->news > 0.0) {
    market->news *= fmlp_exp(-NEWS_VOLATILITY_DECAY * seconds);
    market->news_spread *= fmlp_exp(-NEWS_SPREAD_DECAY * seconds);
    if (market->news < 1e-6) market->news = market->news_spread = 0.0;
  }
  double volatility = fmlp_exp(market->fast + market->slow - 0.08) * (1.0 + market->news) * sqrt(season);
  market->price *= 1.0 + VOLATILITY * volatility * sqrt(seconds) * random_normal(market);
}

static void pass_weekend(fmlp_synth_market *market, int64_t new_york_day) {
  market->time = (double)opening_after(market, new_york_day);
  market->price += WEEKEND_GAP * random_normal(market);
  market->excitation = market->news = market->news_spread = 0.0;
  market->fast *= 0.2;
  for (int r = 0; r < RELEASES; r++)
    market->next_release[r] = release_after(market, r, (int64_t)market->time);
}

/* Lets time pass until a quote arrives; the season and the local clocks are then those of its time. */
static double wait_for_quote(fmlp_synth_market *market, double clock[CITIES]) {
  for (;;) {
    int64_t day = 0;
    double new_york = local_clock(market, NEW_YORK, &day);
    if (is_weekend(day, new_york)) pass_weekend(market, day);
    double season = season_at(market, clock);
    double level = season * fmlp_exp(0.8 * (market->fast + market->slow)) * BASE_RATE;
    double rate = level + market->excitation;
    double wait = -fmlp_log(random_unit(market)) / rate;
    if (wait > STEP_MAX) {
      let_time_pass(market, STEP_MAX, season);
      hear_news(market);
      continue;
    }
    let_time_pass(market, wait, season);
    hear_news(market);
    new_york = local_clock(market, NEW_YORK, &day);
    if (is_weekend(day, new_york)) continue;
    if (random_unit(market) * rate <= level + market->excitation) {
      market->excitation += EXCITATION;
      return season_at(market, clock);
    }
  }
}

/* Quoting. */

static int32_t draw_size(fmlp_synth_market *market, double season) {
  double size = 120.0 * fmlp_exp(0.7 * random_normal(market)) * (0.5 + 0.5 * season);
  int32_t quarters = (int32_t)(size / 15.0) + 1; /* makers quote round sizes */
  return quarters > 200 ? 3000 : quarters * 15;
}

static double spread_wanted(fmlp_synth_market *market, double season, double new_york_clock) {
  double volatility = fmlp_exp(0.5 * (market->fast + market->slow));
  double thin = 0.75 + 0.5 / (0.3 + season);
  return SPREAD_NORMAL * volatility * thin * rollover_at(new_york_clock) * (1.0 + market->news_spread);
}

/* Bid and ask around the efficient price, moved by what makers see differently; then the rare faults of a
 * feed. */
static void quote_prices(fmlp_synth_market *market, fmlp_synth_tick *tick) {
  double middle = market->price + 0.7 * random_normal(market);
  tick->bid = (int32_t)floor(middle - market->spread * 0.5 + 0.5);
  tick->ask = (int32_t)floor(middle + market->spread * 0.5 + 0.5);
  if (tick->ask <= tick->bid) tick->ask = tick->bid + 1;
  if (tick->bid == market->previous.bid && tick->ask == market->previous.ask) {
    /* A feed tells changes: most repeats become a step of one side. */
    double which = random_unit(market);
    if (which < 0.4) {
      tick->bid -= 1;
    } else if (which < 0.8) {
      tick->ask += 1;
    }
  }
  double fault = random_unit(market);
  if (fault < CROSSED_RATE) {
    tick->ask = tick->bid - 1 - (int32_t)(random_unit(market) * 3.0);
  } else if (fault < CROSSED_RATE + ZERO_SPREAD_RATE) {
    tick->ask = tick->bid;
  }
  market->repeat = fault > 1.0 - DUPLICATE_RATE;
}

fmlp_synth_tick fmlp_synth_market_next(fmlp_synth_market *market) {
  if (market->repeat) {
    market->repeat = 0;
    return market->previous;
  }
  double clock[CITIES];
  double season = wait_for_quote(market, clock);
  double wanted = spread_wanted(market, season, clock[NEW_YORK]);
  if (random_unit(market) < 0.35 || market->spread < 0.4 * wanted) {
    market->spread = wanted * (0.55 + 0.9 * random_unit(market));
  }
  if (market->spread < 1.0) market->spread = 1.0;
  fmlp_synth_tick tick = {0};
  tick.time_ms = (int64_t)(market->time * 1000.0);
  if (tick.time_ms < market->last_ms) tick.time_ms = market->last_ms;
  market->last_ms = tick.time_ms;
  quote_prices(market, &tick);
  tick.bid_size = draw_size(market, season);
  tick.ask_size = draw_size(market, season);
  market->previous = tick;
  return tick;
}

fmlp_status fmlp_synth_market_open(uint64_t seed, int64_t start_day, fmlp_synth_market **out,
                                   fmlp_error *error) {
  static const char *const names[CITIES] = {
      [LONDON] = "Europe/London", [NEW_YORK] = "America/New_York", [TOKYO] = "Asia/Tokyo"};
  *out = NULL;
  fmlp_synth_market *market = NULL;
  FMLP_TRY(fmlp_alloc_zero(&market, 1, sizeof *market, "synthetic market", error));
  fmlp_status status = FMLP_OK;
  for (int city = 0; status == FMLP_OK && city < CITIES; city++) {
    status = fmlp_timezone_open(names[city], &market->zone[city], error);
    market->period[city] = (fmlp_timezone_period){0, 0, 0};
  }
  if (status != FMLP_OK) {
    fmlp_synth_market_close(market);
    return status;
  }
  market->key = fmlp_philox_key(seed, FMLP_PHILOX_SYNTHETIC);
  market->time = (double)(start_day * FMLP_SECONDS_PER_DAY);
  market->last_ms = INT64_MIN;
  market->price = PRICE_START;
  market->slow = SLOW_SIZE * random_normal(market);
  market->fast = FAST_SIZE * random_normal(market);
  for (int r = 0; r < RELEASES; r++)
    market->next_release[r] = release_after(market, r, (int64_t)market->time);
  *out = market;
  return FMLP_OK;
}

void fmlp_synth_market_close(fmlp_synth_market *market) {
  if (!market) return;
  for (int city = 0; city < CITIES; city++) fmlp_timezone_close(market->zone[city]);
  fmlp_free(market);
}
