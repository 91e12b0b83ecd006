/*
 * A stand-in for a PJRT plugin of several processes: it has no devices and computes nothing, but takes the options of a
 * client, calls the key-value callbacks from threads of its own as XLA does, and writes down what it saw. Structs are arrays
 * of words; positions as in runtime/engines/xla/pjrt/layout.ts.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint64_t word;
typedef void *function(word *);

struct error {
  int code;
  char text[256];
};

static void *make_error(int code, const char *text, size_t size) {
  struct error *made = calloc(1, sizeof *made);
  made->code = code;
  memcpy(made->text, text, size < 255 ? size : 255);
  return made;
}
static void *(*callback_error)(int, const char *, size_t) = make_error;

static void *refused(const char *text) { return make_error(3, text, strlen(text)); }

static void note(const char *what, const char *value) {
  FILE *log = fopen(getenv("STAND_IN_LOG"), "a");
  fprintf(log, "%s: %s\n", what, value);
  fclose(log);
}

static function *kv_get, *kv_put, *kv_try_get;

static struct error *put(const char *key, const char *value) {
  word args[8] = {64, 0, (word)key, strlen(key), (word)value, strlen(value), (word)&callback_error, 0};
  return kv_put(args);
}

static struct error *got(struct error *failure, word *given, char *into) {
  if (failure) return failure;
  memcpy(into, (char *)given[0], given[1]);
  into[given[1]] = 0;
  ((void (*)(char *))given[2])((char *)given[0]);
  return NULL;
}

static struct error *get(const char *key, int timeout_ms, char *into) {
  word args[10] = {80, 0, (word)key, strlen(key), (word)timeout_ms, (word)&callback_error, 0, 0, 0, 0};
  return got(kv_get(args), args + 7, into);
}

static struct error *try_get(const char *key, char *into) {
  word args[9] = {72, 0, (word)key, strlen(key), (word)&callback_error, 0, 0, 0, 0};
  return got(kv_try_get(args), args + 6, into);
}

struct device {
  int id, process;
};
static struct device devices[64];
static word all[64], own[64];
static int64_t nodes = 1, node = 0, count = 1;
static int total, mine;

/* Begins before this process has said what the others wait for. */
static void *wait_for_the_others(void *unused) {
  (void)unused;
  for (int i = 0; i < nodes; i++) {
    char key[32], value[256];
    snprintf(key, 32, "late/%d", i);
    if (get(key, 60000, value)) note("failed", key);
  }
  return NULL;
}

static void *exchange(void *unused) {
  (void)unused;
  char key[32], value[256];
  pthread_t waiting;
  pthread_create(&waiting, NULL, wait_for_the_others, NULL);
  usleep(200000);
  struct error *failure = try_get("nowhere", value);
  note("tried", failure && failure->code == 5 ? failure->text : "?");
  snprintf(key, 32, "late/%d", (int)node);
  put(key, "here");
  pthread_join(waiting, NULL);
  failure = get("never", 100, value);
  note("waited", failure && failure->code == 4 ? failure->text : "?");
  snprintf(key, 32, "local/%d", (int)node);
  snprintf(value, 256, "%d", (int)count);
  put(key, value);
  for (int i = 0; i < nodes; i++) {
    snprintf(key, 32, "local/%d", i);
    if (get(key, 60000, value)) return refused("a process has not said its devices");
    for (int k = 0; k < atoi(value); k++) {
      struct device *made = &devices[total];
      made->id = total;
      made->process = i;
      all[total++] = (word)made;
      if (i == node) own[mine++] = (word)made;
    }
  }
  return NULL;
}

static void *client_create(word *a) {
  word *options = (word *)a[2];
  for (word i = 0; i < a[3]; i++, options += 7) {
    char name[64] = {0}, value[64] = {0};
    int type = (int)(uint32_t)options[4];
    memcpy(name, (char *)options[2], options[3]);
    if (type == 1) snprintf(value, 64, "%lld", (long long)options[5]);
    if (type == 2)
      for (word k = 0; k < options[6]; k++)
        snprintf(value + strlen(value), 64 - strlen(value), "%s%lld", k ? "," : "", ((long long *)options[5])[k]);
    if (type == 3) {
      float number;
      memcpy(&number, &options[5], 4);
      snprintf(value, 64, "%.2f", number);
    }
    if (!strcmp(name, "num_nodes")) nodes = (int64_t)options[5];
    if (!strcmp(name, "node_id")) node = (int64_t)options[5];
    if (!strcmp(name, "visible_devices")) count = (int64_t)options[6];
    note(name, value);
  }
  kv_get = (function *)a[4];
  kv_put = (function *)a[6];
  kv_try_get = (function *)a[10];
  if (!kv_get || !kv_put || !kv_try_get) return refused("no callbacks");
  pthread_t thread;
  void *failure;
  pthread_create(&thread, NULL, exchange, NULL);
  pthread_join(thread, &failure);
  a[8] = (word)devices;
  return failure;
}

/* As NCCL: the first process makes an id when the program runs first, and the others ask for it. */
static void *execute(word *a) {
  char value[256] = "made";
  struct error *failure = node == 0 ? put("clique", "an id") : get("clique", 60000, value);
  if (failure) return failure;
  note("clique", value);
  for (word i = 0; i < a[5]; i++) ((word *)a[8])[i] = (word)devices;
  return NULL;
}

static void *compile(word *a) {
  word *program = (word *)a[3];
  char hex[512] = {0};
  for (word i = 0; i < a[5] && i < 250; i++) sprintf(hex + 2 * i, "%02x", ((unsigned char *)a[4])[i]);
  note("options", hex);
  note("program", program[3] > 0 ? "text" : "none");
  a[6] = (word)devices;
  return NULL;
}

static void *error_message(word *a) {
  a[3] = (word)((struct error *)a[2])->text;
  a[4] = strlen(((struct error *)a[2])->text);
  return NULL;
}
static void *error_destroy(word *a) {
  free((void *)a[2]);
  return NULL;
}
static void *text(word *a, const char *value) {
  a[3] = (word)value;
  a[4] = strlen(value);
  return NULL;
}
static void *list(word *a, word *values, int length) {
  a[3] = (word)values;
  a[4] = (word)length;
  return NULL;
}
static void *nothing(word *a) { (void)a; return NULL; }
static void *no_attributes(word *a) { return list(a, NULL, 0); }
static void *platform(word *a) { return text(a, "cuda"); }
static void *kind(word *a) { return text(a, "a card that is not there"); }
static void *all_devices(word *a) { return list(a, all, total); }
static void *own_devices(word *a) { return list(a, own, mine); }
static void *same(word *a) { a[3] = a[2]; return NULL; }
static void *id(word *a) { a[3] = (word)((struct device *)a[2])->id; return NULL; }
static void *process(word *a) { a[3] = (word)((struct device *)a[2])->process; return NULL; }
static void *no_outputs(word *a) { a[3] = 0; return NULL; }

static struct {
  word size, extensions, version_size, version_extensions, version;
  function *table[110];
} api;

void *GetPjrtApi(void) {
  api.size = sizeof api;
  api.version = (word)115 << 32;
  for (int i = 0; i < 110; i++) api.table[i] = nothing;
  function *known[110] = {
      [0] = error_destroy, [1] = error_message, [4] = no_attributes, [10] = client_create, [12] = platform,
      [15] = all_devices,  [16] = own_devices,  [20] = compile,      [23] = id,            [24] = process,
      [26] = kind,         [29] = same,         [44] = no_outputs,   [51] = same,          [55] = execute,
  };
  for (int i = 0; i < 110; i++)
    if (known[i]) api.table[i] = known[i];
  return &api;
}
