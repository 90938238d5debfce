/* Times an exported model: deployed THREADS SECONDS INPUT OUTPUT
   Prints the median and the shortest time of a call in seconds; OUTPUT gets what came out. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

#define MOST 16

/* Threads that wait awake for a while, since a call takes less time than waking a sleeping one. The
   gate holds the number of the turn, whether it is open, and how many workers are inside: nobody
   waits for a worker that did not come in time. */
#define OPEN (1L << 16)
#define TURN (1L << 32)

struct pool {
    int threads, stop;
    long gate, next;
    model_task *task;
    void *work;
    int64_t pieces;
};
struct seat { struct pool *pool; int number; };

static void take(struct pool *pool, int number)
{
    int64_t piece;
    while ((piece = __atomic_fetch_add(&pool->next, 1, __ATOMIC_RELAXED)) < pool->pieces)
        pool->task(pool->work, piece, number);
}

static void *worker(void *argument)
{
    struct seat *seat = argument;
    struct pool *pool = seat->pool;
    long seen = 0;
    int spins = 0;
    while (!__atomic_load_n(&pool->stop, __ATOMIC_RELAXED)) {
        long gate = __atomic_load_n(&pool->gate, __ATOMIC_RELAXED);
        if (!(gate & OPEN) || gate / TURN == seen) {
            if (++spins > 2000)
                sched_yield();
            continue;
        }
        if (!__atomic_compare_exchange_n(&pool->gate, &gate, gate + 1, 0, __ATOMIC_ACQ_REL,
                __ATOMIC_RELAXED))
            continue;
        seen = gate / TURN;
        spins = 0;
        take(pool, seat->number);
        __atomic_fetch_sub(&pool->gate, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void parallel(void *context, model_task *task, void *work, int64_t pieces)
{
    struct pool *pool = context;
    pool->task = task;
    pool->work = work;
    pool->pieces = pieces;
    __atomic_store_n(&pool->next, 0, __ATOMIC_RELAXED);
    __atomic_fetch_add(&pool->gate, TURN + OPEN, __ATOMIC_RELEASE);
    take(pool, 0);
    __atomic_fetch_sub(&pool->gate, OPEN, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&pool->gate, __ATOMIC_ACQUIRE) % OPEN != 0)
        ;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int less(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int count, char **words)
{
    static double times[1 << 20];
    struct pool pool = {0};
    struct seat seats[MOST];
    pthread_t threads[MOST];
    const void *inputs[1];
    void *outputs[1], *input = malloc(1 << 24), *output = malloc(1 << 24), *workspace;
    double stop;
    size_t made = 0;
    FILE *file;
    int k;
    if (count != 5 || (file = fopen(words[3], "rb")) == NULL)
        return 2;
    if (fread(input, 1, 1 << 24, file) == 0)
        return 2;
    fclose(file);
    pool.threads = atoi(words[1]);
    workspace = malloc(MODEL_WORKSPACE_SIZE + MOST * (size_t)MODEL_SCRATCH_SIZE);
    inputs[0] = input;
    outputs[0] = output;
    for (k = 1; k < pool.threads; k++) {
        seats[k].pool = &pool;
        seats[k].number = k;
        pthread_create(&threads[k], NULL, worker, &seats[k]);
    }
    stop = now() + atof(words[2]);
    while (made < (1 << 20) && (made < 5 || now() < stop)) {
        double start = now();
        if (model_parallel(inputs, outputs, model_weights, workspace, 1, pool.threads,
                pool.threads > 1 ? parallel : NULL, &pool) != 0)
            return 3;
        times[made++] = now() - start;
    }
    __atomic_store_n(&pool.stop, 1, __ATOMIC_RELAXED);
    for (k = 1; k < pool.threads; k++)
        pthread_join(threads[k], NULL);
    file = fopen(words[4], "wb");
    fwrite(output, 1, sizeof(float) * MODEL_OUTPUT_COUNT(1), file);
    fclose(file);
    qsort(times, made, sizeof times[0], less);
    printf("%.9g %.9g\n", times[made / 2], times[0]);
    return 0;
}
