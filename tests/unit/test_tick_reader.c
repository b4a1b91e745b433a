/* The tick reader: every format, exact decimals, every kind of bad input. */
#define _POSIX_C_SOURCE 200809L
#include "tests/unit/tick_reader_fixture.h"

/* ---- formats ---- */

static void dukascopy_node_puts_ask_first_and_milliseconds(void **state) {
  (void)state;
  assert_read(read_text("timestamp,askPrice,bidPrice,askVolume,bidVolume\n"
                        "1398920401787,1.38729,1.38727,1.5,0.75\n1398920401813,1.3873,1.38726,1,2\n"));
  assert_string_equal(report.format, "dukascopy-node");
  assert_int_equal(ticks.kind, FMLP_QUOTES);
  assert_int_equal(ticks.count, 2);
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.ask[0], 138729);
  assert_int_equal(ticks.bid[0], 138727);
  assert_int_equal(ticks.ask[1], 138730);
  assert_int_equal(ticks.price.m, 1);
  assert_int_equal(ticks.price.k, 5);
  assert_int_equal(ticks.ask_size[0], 150); /* millions with two decimals: units of 10,000 */
  assert_int_equal(ticks.bid_size[0], 75);
  assert_int_equal(ticks.size_unit.m, 10000);
  assert_int_equal(ticks.size_unit.k, 0);
}

static void dukascopy_csv_has_days_first_and_utc(void **state) {
  (void)state;
  assert_read(read_text("Gmt time,Ask,Bid,AskVolume,BidVolume\r\n"
                        "01.05.2014 05:00:01.787,1.38729,1.38727,1.5,0.7500\r\n"));
  assert_string_equal(report.format, "dukascopy");
  assert_string_equal(report.timezone, "UTC");
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.ask[0], 138729);
  assert_int_equal(ticks.bid[0], 138727);
}

static void dukascopy_local_times_use_the_offset_behind_them(void **state) {
  (void)state;
  assert_read(read_text("Local time,Ask,Bid\n01.05.2014 07:00:01.787 GMT+0200,1.38729,1.38727\n"
                        "01.05.2014 06:00:01.787 GMT+0100,1.38729,1.38727\n"));
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.time[1], MAY_FIRST);
  assert_int_equal(read_text("Local time,Ask,Bid\n01.05.2014 07:00:01.787,1.38729,1.38727\n"),
                   FMLP_ERR_USAGE);
  assert_says("data.timezone");
}

static void histdata_is_five_hours_behind_utc_all_year(void **state) {
  (void)state;
  assert_read(read_text("20140501 000001787,1.387270,1.387290,0\n20141201 235959999,1.387270,1.387291,0\n"));
  assert_string_equal(report.format, "histdata");
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.time[1], INT64_C(1417496399999000000));
  assert_int_equal(ticks.bid[0], 1387270);
  assert_int_equal(ticks.ask[1], 1387291);
  assert_int_equal(ticks.price.k, 6);
  assert_null(ticks.bid_size);
}

static void generic_columns_come_in_any_order_under_any_usual_name(void **state) {
  (void)state;
  assert_read(read_text("Ask Price;symbol;Best_Bid;DateTime\n1.5;X;1.25;2014-05-01T05:00:01.787Z\n"));
  assert_string_equal(report.format, "generic");
  assert_int_equal(ticks.time[0], MAY_FIRST);
  assert_int_equal(ticks.bid[0], 125);
  assert_int_equal(ticks.ask[0], 150);
}

static void generic_trades_share_one_price_column(void **state) {
  (void)state;
  assert_read(read_text("timestamp,price,volume\n1398920401787,167.4100,100\n1398920401787,167.42,1400\n"));
  assert_int_equal(ticks.kind, FMLP_TRADES);
  assert_ptr_equal(ticks.bid, ticks.ask);
  assert_int_equal(ticks.bid[0], 16741);
  assert_int_equal(ticks.price.k, 2);
  assert_int_equal(ticks.size[1], 1400);
  assert_int_equal(ticks.size_unit.m, 1);
  assert_int_equal(ticks.size_unit.k, 0);
}

static void data_columns_map_other_names_and_choose_the_kind(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.columns = (fmlp_column_map){.time = "when", .price = "mid"};
  assert_read(read_text_with("when,bid,ask,mid\n1398920401787,1.1,1.3,1.2\n", &settings));
  assert_int_equal(ticks.kind, FMLP_TRADES);
  assert_int_equal(ticks.bid[0], 12);
  settings.columns = (fmlp_column_map){.time = "when", .price = "middle"};
  assert_int_equal(read_text_with("when,bid,ask,mid\n1398920401787,1.1,1.3,1.2\n", &settings),
                   FMLP_ERR_USAGE);
  assert_says("data.columns.price");
  assert_says("\"mid\"");
}

static void date_and_time_may_stand_in_two_columns(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.timezone = "UTC";
  assert_read(
      read_text_with("<DATE>\t<TIME>\t<BID>\t<ASK>\n2014.05.01\t05:00:01.787\t1.1\t1.2\n", &settings));
  assert_int_equal(ticks.time[0], MAY_FIRST);
  settings.columns.time = "d+t";
  assert_read(read_text_with("d,t,bid,ask\n2014-05-01,05:00:01.787,1.1,1.2\n", &settings));
  assert_int_equal(ticks.time[0], MAY_FIRST);
}

static void every_way_to_write_a_time_gives_the_same_nanosecond(void **state) {
  (void)state;
  static const char *const times[] = {
      "1398920401787",
      "1398920401.787",
      "1398920401787000",
      "1398920401787000000",
      "2014-05-01T05:00:01.787Z",
      "2014-05-01 05:00:01.787+00:00",
      "2014-05-01 05:00:01.787000000",
      "2014-05-01 05:00:01.7870000009999",
      "2014/05/01 05:00:01.787",
      "2014.05.01 05:00:01.787",
      "01.05.2014 05:00:01.787",
      "20140501 050001787",
      "20140501 050001.787",
      "20140501 05:00:01.787",
      "20140501050001787",
      "2014-05-01D05:00:01.787000000",
      "2014-05-01T07:00:01.787+02:00",
      "2014-05-01T00:30:01.787-0430",
      "2014-05-01 06:00:01.787 GMT+0100",
      "2014-05-01 05:00:01,787 UTC",
      "\"2014-05-01 05:00:01.787\"",
      " 2014-05-01 05:00:01.787 ",
  };
  fmlp_data_settings settings = defaults();
  settings.timezone = "UTC";
  settings.format = "generic";
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    char text[128];
    (void)snprintf(text, sizeof text, "time;bid;ask\n%s;1;2\n", times[i]);
    assert_read(read_text_with(text, &settings));
    if (ticks.time[0] != MAY_FIRST) fail_msg("%s: %lld", times[i], (long long)ticks.time[0]);
  }
}

static void local_times_follow_daylight_saving(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.timezone = "America/New_York";
  assert_read(read_text_with("time,bid,ask\n2014-03-09 01:59:59.5,1,2\n2014-03-09 03:00:00,1,2\n"
                             "2014-07-01 12:00:00,1,2\n2014-12-01 12:00:00,1,2\n",
                             &settings));
  assert_string_equal(report.timezone, "America/New_York");
  assert_int_equal(ticks.time[0], INT64_C(1394348399500000000));
  assert_int_equal(ticks.time[1], INT64_C(1394348400000000000));
  assert_int_equal(ticks.time[2], INT64_C(1404230400000000000));
  assert_int_equal(ticks.time[3], INT64_C(1417453200000000000));
}

static void a_time_zone_is_asked_for_and_never_guessed(void **state) {
  (void)state;
  assert_int_equal(read_text("time,bid,ask\n2014-05-01 05:00:01,1,2\n"), FMLP_ERR_USAGE);
  assert_says("data.timezone");
  fmlp_data_settings settings = defaults();
  settings.timezone = "Europe/Atlantis";
  assert_int_equal(read_text_with("time,bid,ask\n2014-05-01 05:00:01,1,2\n", &settings), FMLP_ERR_USAGE);
  assert_says("Atlantis");
  assert_int_equal(read_text("time,bid,ask\n2014-05-01 05:00:01Z,1,2\n2014-05-01 05:00:01,1,2\n"),
                   FMLP_ERR_INPUT);
  assert_says(":3: ");
}

static void the_format_can_be_forced_and_must_then_fit(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.format = "generic";
  assert_read(read_text_with("timestamp,askPrice,bidPrice\n1398920401787,1.2,1.1\n", &settings));
  assert_string_equal(report.format, "generic");
  settings.format = "histdata";
  assert_int_equal(read_text_with("timestamp,askPrice,bidPrice\n1398920401787,1.2,1.1\n", &settings),
                   FMLP_ERR_INPUT);
  settings.format = "csvv";
  assert_int_equal(read_text_with("timestamp,askPrice,bidPrice\n1398920401787,1.2,1.1\n", &settings),
                   FMLP_ERR_USAGE);
  assert_says("histdata");
}

static void byte_order_mark_carriage_returns_and_a_missing_last_newline_are_fine(void **state) {
  (void)state;
  assert_read(read_text("\xef\xbb\xbftimestamp,askPrice,bidPrice\r\n1398920401787,1.2,1.1\r\n\r\n"
                        "1398920401788,1.2,1.1"));
  assert_string_equal(report.format, "dukascopy-node");
  assert_int_equal(ticks.count, 2);
  assert_int_equal(report.lines, 4);
}

static void trailing_columns_are_passed_over(void **state) {
  (void)state;
  assert_read(read_text("timestamp,askPrice,bidPrice,comment,x\n1398920401787,1.2,1.1,\"a,b\",\n"));
  assert_string_equal(report.format, "dukascopy-node");
  assert_int_equal(ticks.count, 1);
  assert_null(ticks.bid_size);
}

/* ---- numbers ---- */

static void decimals_are_exact_and_trailing_zeros_do_not_count(void **state) {
  (void)state;
  assert_read(read_text("time,bid,ask\n1398920401787,1.10000000,001.2\n1398920401788,.5,2.\n"));
  assert_int_equal(ticks.price.k, 1);
  assert_int_equal(ticks.bid[0], 11);
  assert_int_equal(ticks.ask[0], 12);
  assert_int_equal(ticks.bid[1], 5);
  assert_int_equal(ticks.ask[1], 20);
}

static void a_later_row_with_more_decimals_rescales_all_before_it(void **state) {
  (void)state;
  assert_read(
      read_text("time,price,size\n1398920401787,1,1.5\n1398920401788,1.25,2\n1398920401789,9.54e-06,3.125\n"
                "1398920401790,2,1e3\n"));
  assert_int_equal(ticks.price.k, 8);
  static const int32_t prices[] = {100000000, 125000000, 954, 200000000};
  static const int64_t sizes[] = {1500, 2000, 3125, 1000000};
  assert_memory_equal(ticks.bid, prices, sizeof prices);
  assert_memory_equal(ticks.size, sizes, sizeof sizes);
  assert_int_equal(ticks.size_unit.k, 3);
}

static void an_explicit_point_is_any_decimal(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.point_size = 0.25;
  settings.point_size_text = "0.25";
  assert_read(read_text_with("time,price\n1398920401787,1905.250\n1398920401788,1905\n", &settings));
  assert_int_equal(ticks.price.m, 25);
  assert_int_equal(ticks.price.k, 2);
  assert_int_equal(ticks.bid[0], 7621);
  assert_int_equal(ticks.bid[1], 7620);
  assert_int_equal(read_text_with("time,price\n1398920401787,1905.25\n1398920401788,1905.3\n", &settings),
                   FMLP_ERR_INPUT);
  assert_says(":3: column price: \"1905.3\" is not a multiple of data.point_size");
  settings.point_size_text = "abc";
  assert_int_equal(read_text_with("time,price\n1398920401787,1905.25\n", &settings), FMLP_ERR_USAGE);
}

static void a_price_beyond_the_points_names_its_row_and_a_point_that_fits(void **state) {
  (void)state;
  assert_int_equal(read_text("time,price\n1398920401787,21474.83647\n1398920401788,21474.83648\n"),
                   FMLP_ERR_INPUT);
  assert_says(
      ":3: column price: \"21474.83648\" does not fit 32-bit points of 0.00001; with data.point_size: "
      "0.0001 it would");
  assert_int_equal(read_text("time,price\n1398920401787,21475\n1398920401788,1.00001\n"), FMLP_ERR_INPUT);
  assert_says(":3: ");
  assert_says("21475");
  assert_says("0.0001 it would");
  assert_int_equal(read_text("time,price\n1398920401787,99999999999\n"), FMLP_ERR_INPUT);
  assert_says("with data.point_size: 100 it would");
}

static void size_decimals_can_be_fixed(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.size_decimals = 2;
  assert_read(read_text_with("time,price,size\n1398920401787,1,5\n", &settings));
  assert_int_equal(ticks.size[0], 500);
  assert_int_equal(ticks.size_unit.k, 2);
  assert_int_equal(read_text_with("time,price,size\n1398920401787,1,5.125\n", &settings), FMLP_ERR_INPUT);
  assert_says("data.size_decimals");
}

/* ---- bad input ---- */

static void every_bad_row_is_named_by_line_column_and_text(void **state) {
  (void)state;
  static const struct {
    const char *row, *says;
  } cases[] = {
      {"1398920401788,1.2", "2 columns where the header has 3"},
      {"1398920401788,1.2,1.1,7", "4 columns where the header has 3"},
      {"1398920401788,abc,1.1", "column ask (askPrice): \"abc\" is not a number"},
      {"1398920401788,1.2x,1.1", "column ask (askPrice): \"1.2x\" is not a number"},
      {"1398920401788,1.2.3,1.1", "\"1.2.3\" is not a number"},
      {"1398920401788,.,1.1", "\".\" is not a number"},
      {"1398920401788,NaN,1.1", "\"NaN\" is not a finite number"},
      {"1398920401788,1.2,-inf", "column bid (bidPrice): \"-inf\" is not a finite number"},
      {"1398920401788,1.2,0", "column bid (bidPrice): \"0\" is not a positive price"},
      {"1398920401788,1.2,0.000", "is not a positive price"},
      {"1398920401788,-1.2,1", "column ask (askPrice): \"-1.2\" is not a positive price"},
      {"1398920401788,,1", "column ask (askPrice): \"\" is empty"},
      {",1.2,1.1", "column time (timestamp): \"\" is empty"},
      {"yesterday,1.2,1.1", "column time (timestamp): \"yesterday\" is not a time"},
      {"-1398920401788,1.2,1.1", "is not a time"},
      {"1.39e12,1.2,1.1", "is not a time"},
      {"1398920401,1.2,1.1", "another number of digits"},
      {"1398920401788,1.2,1\x7f\x80", "\"1\\x7f\\x80\" is not a number"},
      {"1398920401788,1.2,\"1.1", "a quote is never closed"},
      {"1398920401788,1.2,123456789012345678901", "more digits than fit 64 bits"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[256];
    (void)snprintf(text, sizeof text,
                   "timestamp,askPrice,bidPrice\n1398920401787,1.2,1.1\n\n%s\n1398920401789,1.2,1.1\n",
                   cases[i].row);
    assert_int_equal(read_text(text), FMLP_ERR_INPUT);
    assert_null(ticks.time);
    assert_says("ticks.csv:4: ");
    assert_says(cases[i].says);
    fmlp_data_settings settings = defaults();
    settings.bad_rows = FMLP_BAD_ROWS_SKIP;
    assert_read(read_with(&settings));
    assert_int_equal(ticks.count, 2);
    assert_int_equal(report.bad_rows, 1);
    assert_int_equal(report.first_bad_line, 4);
  }
}

static void dates_that_do_not_exist_are_refused(void **state) {
  (void)state;
  static const char *const times[] = {"2014-02-29 00:00:00Z", "2014-13-01 00:00:00Z",  "2014-00-01 00:00:00Z",
                                      "2014-01-32 00:00:00Z", "2014-01-01 24:00:00Z",  "2014-01-01 00:60:00Z",
                                      "2014-01-01 00:00:61Z", "2014-01-01 00:00:00.Z", "2014-01/01 00:00:00Z",
                                      "05/01/2014 00:00:00Z", "1066-01-01 00:00:00Z",  "2014-01-01 0:0:0Z"};
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    char text[128];
    (void)snprintf(text, sizeof text, "time,bid,ask\n2014-01-01 00:00:00Z,1,2\n%s,1,2\n", times[i]);
    assert_int_equal(read_text(text), FMLP_ERR_INPUT);
    assert_says("ticks.csv:3: column time: ");
  }
  assert_read(read_text("time,bid,ask\n2016-02-29 23:59:60Z,1,2\n"));
  assert_int_equal(ticks.time[0], INT64_C(1456790400000000000)); /* a leap second counts as the next */
}

static void files_that_are_no_tick_files_are_refused(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  static const struct {
    const char *text, *says;
  } cases[] = {
      {"timestamp,askPrice,bidPrice\n", "has a header and no row"},
      {"timestamp,askPrice,bidPrice", "has a header and no row"},
      {"\n\n\n", "blank lines only"},
      {"1398920401787,1.2,1.1\n", "no header"},
      {"timestamp,open,close\n1,2,3\n", "no bid and ask, and no price"},
      {"bid,ask\n1,2\n", "no time among the columns"},
      {"hello\nworld\n", "one column only"},
      {"a,b,\"c\n", "a quote is never closed"},
      {"\x7f\x45LF\x02\x01\x01", "not a text file"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(read_text_with(cases[i].text, &settings), FMLP_ERR_INPUT);
    assert_says(cases[i].says);
    assert_says("ticks.csv");
  }
  write_file("", 0);
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  assert_says("is empty");
  write_file("\xff\xfet\0i\0", 6);
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  assert_says("UTF-16");
  settings.path = folder;
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  assert_says("is a folder");
  settings.path = "/nonexistent/ticks.csv";
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  assert_says("No such file");
  settings.path = NULL;
  assert_int_equal(read_with(&settings), FMLP_ERR_USAGE);
}

static void all_rows_bad_is_an_error_even_when_skipping(void **state) {
  (void)state;
  fmlp_data_settings settings = defaults();
  settings.bad_rows = FMLP_BAD_ROWS_SKIP;
  assert_int_equal(read_text_with("time,bid,ask\n1398920401787,x,1\n1398920401787,y,1\n", &settings),
                   FMLP_ERR_INPUT);
  assert_says("all 2 rows are bad, the first on line 2");
}

static void a_line_without_an_end_is_refused(void **state) {
  (void)state;
  size_t bytes = 1000000;
  char *text = malloc(bytes);
  assert_non_null(text);
  memset(text, '7', bytes);
  write_file(text, bytes);
  free(text);
  fmlp_data_settings settings = defaults();
  assert_int_equal(read_with(&settings), FMLP_ERR_INPUT);
  assert_says("a line is longer than");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      test(dukascopy_node_puts_ask_first_and_milliseconds),
      test(dukascopy_csv_has_days_first_and_utc),
      test(dukascopy_local_times_use_the_offset_behind_them),
      test(histdata_is_five_hours_behind_utc_all_year),
      test(generic_columns_come_in_any_order_under_any_usual_name),
      test(generic_trades_share_one_price_column),
      test(data_columns_map_other_names_and_choose_the_kind),
      test(date_and_time_may_stand_in_two_columns),
      test(every_way_to_write_a_time_gives_the_same_nanosecond),
      test(local_times_follow_daylight_saving),
      test(a_time_zone_is_asked_for_and_never_guessed),
      test(the_format_can_be_forced_and_must_then_fit),
      test(byte_order_mark_carriage_returns_and_a_missing_last_newline_are_fine),
      test(trailing_columns_are_passed_over),
      test(decimals_are_exact_and_trailing_zeros_do_not_count),
      test(a_later_row_with_more_decimals_rescales_all_before_it),
      test(an_explicit_point_is_any_decimal),
      test(a_price_beyond_the_points_names_its_row_and_a_point_that_fits),
      test(size_decimals_can_be_fixed),
      test(every_bad_row_is_named_by_line_column_and_text),
      test(dates_that_do_not_exist_are_refused),
      test(files_that_are_no_tick_files_are_refused),
      test(all_rows_bad_is_an_error_even_when_skipping),
      test(a_line_without_an_end_is_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
