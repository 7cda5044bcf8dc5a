/* SPDX-License-Identifier: Apache-2.0 */
/* Requests are done one at a time, in the order in which they came: Firecracker's API has one
 * thread. */
#ifndef SIM_TURNS_H
#define SIM_TURNS_H

#include <pthread.h>
#include <sys/queue.h>

struct turn {
	TAILQ_ENTRY(turn) next;
};

struct turns {
	pthread_mutex_t mutex;
	pthread_cond_t left;
	TAILQ_HEAD(, turn) waiting;
};

void turns_init(struct turns *turns);

/* Gets the last place. came(), if not NULL, is called at the same instant: what it writes down is
 * in the same order. */
void turns_join(struct turns *turns, struct turn *turn, void (*came)(void *arg), void *arg);

/* Until it is this one's turn; the next one's comes when this one leaves. */
void turns_wait(struct turns *turns, struct turn *turn);

/* Also before it was its turn. */
void turns_leave(struct turns *turns, struct turn *turn);

#endif
