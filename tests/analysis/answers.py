"""What the analysis process answers, without one."""

import pickle

from resnet_viz.analysis.child import carry_out
from resnet_viz.analysis.inquiry import Job
from resnet_viz.analysis.question import single


def answers_to(jobs, between=lambda: None):
    """The answer to each job, or the text of what went wrong, which a person is meant to read.

    `between` is called after each job.
    """
    found = []
    for job in jobs:
        reply = carry_out(job.function, job.arguments, 1)
        if reply.answer is None:
            assert reply.trouble is None, reply.trouble
            return reply.error
        found.append(pickle.loads(reply.answer))
        between()
    return found


def answer(asked, between=lambda: None):
    """The result of a question or a job, or the text of what went wrong."""
    question = single(asked) if isinstance(asked, Job) else asked
    found = answers_to(question.jobs, between)
    return found if isinstance(found, str) else question.combine(found)
