/* Stands in for libfaketime in the driver's own tests: the real time, ahead by what a file says. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    const char *path = getenv("FAKETIME_TIMESTAMP_FILE");
    if (result == 0 && clock == CLOCK_REALTIME && path) {
        FILE *file = fopen(path, "r");
        double ahead = 0;
        if (file) {
            if (fscanf(file, "%lf", &ahead) != 1) ahead = 0;
            fclose(file);
        }
        now->tv_sec += (time_t)ahead;
    }
    return result;
}
