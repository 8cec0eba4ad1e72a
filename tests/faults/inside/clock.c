/* Preloaded into an engine: its wall clock is what the file named by FAULTY_CLOCK says, "OFFSET_S RATE SINCE_S":
   the true time + OFFSET_S + (RATE - 1) * (the true time - SINCE_S). The monotonic clock stays as it is. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static double wall(void) {
  struct timespec now;
  double offset = 0, rate = 1, since = 0, true_s;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  true_s = now.tv_sec + now.tv_nsec / 1e9;
  const char *path = getenv("FAULTY_CLOCK");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (file) {
    if (fscanf(file, "%lf %lf %lf", &offset, &rate, &since) != 3) offset = 0, rate = 1;
    fclose(file);
  }
  return true_s + offset + (rate - 1) * (true_s - since);
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz) {
  double now = wall();
  (void)tz;
  tv->tv_sec = (time_t)now;
  tv->tv_usec = (suseconds_t)((now - (double)tv->tv_sec) * 1e6);
  return 0;
}

time_t time(time_t *t) {
  time_t now = (time_t)wall();
  if (t) *t = now;
  return now;
}

int clock_gettime(clockid_t which, struct timespec *ts) {
  if (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, which, ts);
  double now = wall();
  ts->tv_sec = (time_t)now;
  ts->tv_nsec = (long)((now - (double)ts->tv_sec) * 1e9);
  return 0;
}
