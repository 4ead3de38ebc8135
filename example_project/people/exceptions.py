"""What registration refuses."""

from holdfast import errors


class UsernameTaken(errors.Conflict):
    """Somebody else has this username."""

    code = "people.username_taken"


class EmailTaken(errors.Conflict):
    """There is an account with this e-mail address already."""

    code = "people.email_taken"


class PasswordTooWeak(errors.Invalid):
    """This password is too easy to guess."""

    code = "people.password_too_weak"


class PersonNotFound(errors.NotFound):
    """Nobody here has this username or e-mail address."""

    code = "people.person_not_found"
