/* Columns by name, for files no vendor's layout describes. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/io/tick_plan.h"

enum { MOST_SYNONYMS = 24 };

/* Names with everything but letters and digits taken out, in lower case, the most telling first: of two
 * columns that would do, the name further left here wins. */
static const char *const full_times[] = {"timestamp",
                                         "datetime",
                                         "dateandtime",
                                         "gmttime",
                                         "utctime",
                                         "timeutc",
                                         "timestampms",
                                         "localtime",
                                         "ticktime",
                                         "ts",
                                         "epoch",
                                         "unixtime",
                                         "transacttime",
                                         "tsevent",
                                         "siptimestamp",
                                         "timestampus",
                                         "timestampns",
                                         "epochms",
                                         "participanttimestamp",
                                         NULL};
static const char *const clocks[] = {"time", "clock", "timeofday", NULL};
static const char *const dates[] = {"date", "day", "tradedate", NULL};

static const char *const synonyms[FMLP_ROLE_COUNT][MOST_SYNONYMS] = {
    [FMLP_ROLE_BID] = {"bid", "bidprice", "bestbid", "bidpx", "bestbidprice", "bid1"},
    [FMLP_ROLE_ASK] = {"ask", "askprice", "bestask", "askpx", "offer", "offerprice", "bestaskprice", "ask1"},
    [FMLP_ROLE_BID_SIZE] = {"bidsize", "bidvolume", "bidqty", "bidquantity", "bidamount", "bidvol",
                            "bestbidqty", "bestbidsize", "bidsz"},
    [FMLP_ROLE_ASK_SIZE] = {"asksize", "askvolume", "askqty", "askquantity", "askamount", "askvol",
                            "bestaskqty", "bestasksize", "asksz", "offersize"},
};
static const char *const prices[] = {"price", "last", "lastprice", "tradeprice", "px", NULL};
static const char *const sizes[] = {"size",      "volume",      "qty",      "quantity",   "amount", "vol",
                                    "tradesize", "tradevolume", "lastsize", "lastvolume", NULL};

bool fmlp_cell_is(fmlp_cell cell, const char *name) {
  int32_t i = 0;
  for (; i < cell.length && name[i]; i++) {
    if (tolower((unsigned char)cell.text[i]) != tolower((unsigned char)name[i])) return false;
  }
  return i == cell.length && name[i] == '\0';
}

/* `Date and Time`, `<DATE>`, `bid_price`: letters and digits only. */
static bool is_synonym(fmlp_cell cell, const char *name) {
  for (int32_t i = 0; i < cell.length; i++) {
    if (!isalnum((unsigned char)cell.text[i])) continue;
    if (tolower((unsigned char)cell.text[i]) != tolower((unsigned char)*name)) return false;
    name++;
  }
  return *name == '\0';
}

static int32_t find_synonym(const fmlp_cell *header, int32_t count, const char *const *names) {
  for (; *names; names++) {
    for (int32_t column = 0; column < count; column++) {
      if (is_synonym(header[column], *names)) return column;
    }
  }
  return -1;
}

bool fmlp_tick_columns_given(const fmlp_column_map *map) {
  return map->time || map->bid || map->ask || map->price || map->size || map->bid_size || map->ask_size;
}

/* The header as a list for messages, cut where it gets long. */
static void list_header(const fmlp_cell *header, int32_t count, char text[400]) {
  size_t at = 0;
  text[0] = '\0';
  for (int32_t i = 0; i < count && at < 250; i++) {
    char quoted[96];
    int written = snprintf(text + at, 400 - at, "%s%s", i ? ", " : "", fmlp_cell_quoted(header[i], quoted));
    at += (size_t)written;
  }
}

/* The column data.columns names for `role`, in `*column`; unchanged without such a setting. */
static fmlp_status find_given(const fmlp_cell *header, int32_t count, const char *key, const char *name,
                              int32_t *column, fmlp_error *error) {
  if (!name) return FMLP_OK;
  for (int32_t i = 0; i < count; i++) {
    if (!fmlp_cell_is(header[i], name)) continue;
    *column = i;
    return FMLP_OK;
  }
  char list[400];
  list_header(header, count, list);
  return fmlp_fail(error, FMLP_ERR_USAGE, "data.columns.%s: no column \"%s\" in the header; it has %s", key,
                   name, list);
}

/* `time: Date+Time` names two columns. */
static fmlp_status find_given_time(const fmlp_cell *header, int32_t count, const char *name,
                                   fmlp_tick_plan *plan, fmlp_error *error) {
  const char *plus = name ? strchr(name, '+') : NULL;
  char date[64];
  if (!plus || plus - name >= (int)sizeof date) {
    return find_given(header, count, "time", name, &plan->column_of[FMLP_ROLE_TIME], error);
  }
  memcpy(date, name, (size_t)(plus - name));
  date[plus - name] = '\0';
  FMLP_TRY(find_given(header, count, "time", date, &plan->column_of[FMLP_ROLE_TIME], error));
  return find_given(header, count, "time", plus + 1, &plan->column_of[FMLP_ROLE_CLOCK], error);
}

static void find_time(const fmlp_cell *header, int32_t count, fmlp_tick_plan *plan) {
  int32_t full = find_synonym(header, count, full_times), clock = find_synonym(header, count, clocks);
  int32_t date = find_synonym(header, count, dates);
  plan->column_of[FMLP_ROLE_TIME] = full >= 0 ? full : date >= 0 ? date : clock;
  if (full < 0 && date >= 0) plan->column_of[FMLP_ROLE_CLOCK] = clock;
}

static fmlp_status missing(const char *what, const char *keys, const fmlp_cell *header, int32_t count,
                           fmlp_error *error) {
  char list[400];
  list_header(header, count, list);
  return fmlp_fail(error, FMLP_ERR_INPUT, "line 1: no %s among the columns %s; name it with %s", what, list,
                   keys);
}

fmlp_status fmlp_tick_columns_by_name(const fmlp_data_settings *settings, const fmlp_cell *header,
                                      int32_t count, fmlp_tick_plan *plan, fmlp_error *error) {
  const fmlp_column_map *map = &settings->columns;
  int32_t *of = plan->column_of;
  int32_t price = find_synonym(header, count, prices), size = find_synonym(header, count, sizes);
  for (int role = FMLP_ROLE_BID; role < FMLP_ROLE_COUNT; role++) {
    of[role] = find_synonym(header, count, synonyms[role]);
  }
  if (map->time) {
    FMLP_TRY(find_given_time(header, count, map->time, plan, error));
  } else {
    find_time(header, count, plan);
  }
  FMLP_TRY(find_given(header, count, "bid", map->bid, &of[FMLP_ROLE_BID], error));
  FMLP_TRY(find_given(header, count, "ask", map->ask, &of[FMLP_ROLE_ASK], error));
  FMLP_TRY(find_given(header, count, "bid_size", map->bid_size, &of[FMLP_ROLE_BID_SIZE], error));
  FMLP_TRY(find_given(header, count, "ask_size", map->ask_size, &of[FMLP_ROLE_ASK_SIZE], error));
  FMLP_TRY(find_given(header, count, "price", map->price, &price, error));
  FMLP_TRY(find_given(header, count, "size", map->size, &size, error));
  if (of[FMLP_ROLE_TIME] < 0) return missing("time", "data.columns.time", header, count, error);
  bool quotes = of[FMLP_ROLE_BID] >= 0 && of[FMLP_ROLE_ASK] >= 0;
  if (map->price && !map->bid && !map->ask) quotes = false;
  if (!quotes && price < 0) {
    return missing("bid and ask, and no price,", "data.columns", header, count, error);
  }
  plan->kind = quotes ? FMLP_QUOTES : FMLP_TRADES;
  if (!quotes) {
    of[FMLP_ROLE_BID] = price;
    of[FMLP_ROLE_BID_SIZE] = size;
    of[FMLP_ROLE_ASK] = of[FMLP_ROLE_ASK_SIZE] = -1;
  } else if (of[FMLP_ROLE_BID_SIZE] < 0 || of[FMLP_ROLE_ASK_SIZE] < 0) { /* one alone says nothing */
    of[FMLP_ROLE_BID_SIZE] = of[FMLP_ROLE_ASK_SIZE] = -1;
  }
  return FMLP_OK;
}

fmlp_status fmlp_tick_columns_check(const fmlp_cell *header, int32_t count, const fmlp_tick_plan *plan,
                                    fmlp_error *error) {
  for (int role = 0; role < FMLP_ROLE_COUNT && plan->has_header; role++) {
    int32_t column = plan->column_of[role];
    for (int32_t other = 0; column >= 0 && other < count; other++) {
      if (other == column || header[other].length != header[column].length ||
          memcmp(header[other].text, header[column].text, (size_t)header[column].length) != 0)
        continue;
      char quoted[96];
      return fmlp_fail(error, FMLP_ERR_INPUT,
                       "line 1: two columns are named %s; rename the one that is not meant",
                       fmlp_cell_quoted(header[column], quoted));
    }
  }
  return FMLP_OK;
}
