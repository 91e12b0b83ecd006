/*
 * A PJRT plugin that fails: it passes every call on to the plugin that FAILING_PLUGIN names, but for one. The function at
 * position FAILING_SLOT of the table (runtime/engines/xla/pjrt/layout.ts) answers with the error FAILING_TEXT from its
 * call number FAILING_CALL on, counted from 1; where FAILING_WHEN names a file, calls before there is such a file do not count.
 * FAILING_HOW: "error" (left out), "crash" or "hang". FAILING_SLOT "load": it does so when it is asked for its table.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t word;
typedef void *function(word *);

enum { HEAD = 5, ERROR_DESTROY = 0, ERROR_MESSAGE = 1 };

static word *api;
static function *real, *real_message, *real_destroy;
static char *text, *when;
static int fails_from, calls;
/* Its address is the error. */
static char own_error;

static void perish(void) {
  const char *how = getenv("FAILING_HOW");
  if (how && !strcmp(how, "crash")) abort();
  if (how && !strcmp(how, "hang")) for (;;) pause();
}

static void *failing(word *args) {
  if (when && access(when, F_OK) != 0) return real(args);
  if (__sync_add_and_fetch(&calls, 1) < fails_from) return real(args);
  perish();
  return &own_error;
}

static void *message(word *args) {
  if ((char *)args[2] != &own_error) return real_message(args);
  args[3] = (word)text;
  args[4] = strlen(text);
  return NULL;
}

static void *destroy(word *args) { return (char *)args[2] == &own_error ? NULL : real_destroy(args); }

static function *replaced(int slot, function *by) {
  function *before = (function *)api[HEAD + slot];
  api[HEAD + slot] = (word)by;
  return before;
}

void *GetPjrtApi(void) {
  if (api) return api;
  if (!strcmp(getenv("FAILING_SLOT"), "load")) perish();
  void *library = dlopen(getenv("FAILING_PLUGIN"), RTLD_NOW);
  if (!library) return NULL;
  word *table = ((word * (*)(void)) dlsym(library, "GetPjrtApi"))();
  /* The first word of the table is its size in bytes. */
  api = malloc(table[0]);
  memcpy(api, table, table[0]);
  text = getenv("FAILING_TEXT");
  when = getenv("FAILING_WHEN");
  fails_from = atoi(getenv("FAILING_CALL"));
  real = replaced(atoi(getenv("FAILING_SLOT")), failing);
  real_message = replaced(ERROR_MESSAGE, message);
  real_destroy = replaced(ERROR_DESTROY, destroy);
  return api;
}
